// SPDX-License-Identifier: Apache-2.0
//! The storage pools that show the media library to clients of libvirt, which look for a medium in pools alone.

/// The pool of the library's first directory.
const POOL: &str = "virtwarden-media";

/// The pool of the library's directory with this place in the policy, counted from nought.
pub fn pool(place: usize) -> String {
    if place == 0 { POOL.to_owned() } else { format!("{POOL}-{}", place + 1) }
}

/// Whether a pool is one of them. Whoever may connect media sees it, and may do no more with it than look again.
pub fn is_pool(name: &str) -> bool {
    let number = |rest: &str| rest.strip_prefix('-')?.parse::<u16>().ok()?.checked_sub(1);
    let place = name.strip_prefix(POOL).map(|rest| number(rest).unwrap_or_default());
    place.is_some_and(|place| pool(place.into()) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_of_the_library_is_known_by_its_name() {
        assert_eq!((pool(0).as_str(), pool(1).as_str()), ("virtwarden-media", "virtwarden-media-2"));
        assert!(is_pool(&pool(0)) && is_pool(&pool(7)));
        for other in ["", "media", "virtwarden-media2", "virtwarden-media-", "virtwarden-media-x", "default"]
            .into_iter()
            .chain(["virtwarden-media-0", "virtwarden-media-1", "virtwarden-media-02", "virtwarden-media-+2"])
        {
            assert!(!is_pool(other), "{other}");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
//! One question to the monitor, with a deadline over all of it.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use virtwarden_core::control::{HookAnswer, HookCall, LineReader, Reply, Request, encode};

/// Asks. Connecting can hang as well as reading, so the whole conversation runs beside the clock; the
/// program ends soon after in any case.
///
/// # Errors
/// Why there is no answer.
pub(crate) fn ask(socket: &Path, call: HookCall, deadline: Duration) -> Result<HookAnswer, String> {
    let (tell, told) = mpsc::channel();
    let socket = PathBuf::from(socket);
    thread::Builder::new()
        .spawn(move || tell.send(converse(&socket, call)))
        .map_err(|error| format!("no thread: {error}"))?;
    told.recv_timeout(deadline).map_err(|_| format!("no answer within {} s", deadline.as_secs()))?
}

fn converse(socket: &Path, call: HookCall) -> Result<HookAnswer, String> {
    let line = encode(&Request::Hook(call)).map_err(|error| error.to_string())?;
    let mut stream = UnixStream::connect(socket).map_err(|error| error.to_string())?;
    stream.write_all(&line).map_err(|error| error.to_string())?;
    match LineReader::new(stream).receive::<Reply>() {
        Ok(Some(Reply::Hook(answer))) => Ok(answer),
        Ok(Some(Reply::Failed(failure))) => Err(failure.message),
        Ok(Some(_)) => Err("it answered something else".into()),
        Ok(None) => Err("it closed the connection".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    use virtwarden_core::control::{HookDriver, Sight};

    use super::*;

    fn call() -> HookCall {
        HookCall {
            driver: HookDriver::Qemu,
            object: "bobvm".into(),
            operation: "start".into(),
            sub_operation: "begin".into(),
            xml: "<domain/>".into(),
            sight: Sight::default(),
        }
    }

    /// A monitor that reads one line and says `answer`.
    fn monitor(answer: &'static [u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sock");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            let count = stream.read(&mut bytes).unwrap();
            assert!(bytes[..count].ends_with(b"\n"));
            stream.write_all(answer).unwrap();
        });
        (directory, path)
    }

    fn answer(answer: &'static [u8]) -> Result<HookAnswer, String> {
        let (_directory, path) = monitor(answer);
        ask(&path, call(), Duration::from_secs(5))
    }

    #[test]
    fn the_monitor_says_yes_or_no() {
        let yes = answer(b"{\"protocol\":1,\"message\":{\"hook\":\"allow\"}}\n");
        assert_eq!(yes, Ok(HookAnswer::Allow));
        let no = answer(b"{\"protocol\":1,\"message\":{\"hook\":{\"deny\":{\"reason\":\"no\"}}}}\n");
        assert_eq!(no, Ok(HookAnswer::Deny { reason: "no".into() }));
    }

    #[test]
    fn everything_else_is_no_answer() {
        assert!(answer(b"").is_err());
        assert!(answer(b"{\"protocol\":1,\"message\":{\"hook\":\"allow\"}}").is_err());
        assert!(answer(b"{\"protocol\":1,\"message\":\"allow\"}\n").is_err());
        assert!(answer(b"{\"protocol\":1,\"message\":{\"end\":{\"replies\":0}}}\n").is_err());
        assert!(ask(Path::new("/nonexistent"), call(), Duration::from_secs(5)).is_err());
    }

    #[test]
    fn a_monitor_that_hangs_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sock");
        let _silent = UnixListener::bind(&path).unwrap();
        let refused = ask(&path, call(), Duration::from_millis(50));
        assert!(refused.unwrap_err().starts_with("no answer"));
    }
}

// SPDX-License-Identifier: Apache-2.0
//! How the gate treats a procedure.
//!
//! Each row of `procedures.tsv` ends in a rule. A row without one that can be read is as good as
//! absent, and what is absent is refused.

use crate::policy::request::Right;
use crate::rpc::handle::HandleKind;
use crate::table3::Function;

pub(in crate::rpc) mod parse;

/// How the gate treats a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The gate answers it itself; it never reaches libvirtd from a client.
    Own(Own),
    /// It may pass if these rights are held on the object.
    Needs {
        /// What is acted on: the handle among the arguments, or the host.
        on: On,
        /// All of these, and those of the conditions that hold.
        rights: &'static [Right],
    },
    /// It shows a VM's definition: [`Right::View`] on the VM. Those who may not read secrets
    /// ([`Right::Administer`] on the VM) get it with these bits of `flags` cleared, because
    /// virt-manager always sets them.
    Describe {
        /// The bits of `flags` that make libvirt put passwords into the XML.
        secret_flags: u32,
    },
    /// Its reply lists objects; those that the subject may not see are taken out of it.
    List(Listed),
    /// A list or count of the oldest kind. The gate calls another procedure instead, filters what it
    /// lists, and puts the rest into the old form: so all lists agree on what there is.
    Recast(Recast),
    /// It finds one object, which is in the reply. For a subject that may not see it, the answer is
    /// that of [`error::not_found`](crate::rpc::error::not_found).
    Lookup(HandleKind),
    /// What it needs depends on what it carries.
    Judged(Judge),
    /// It asks for events, of one object if the arguments hold a handle, else of all that the subject sees.
    Register {
        /// What the events are about.
        on: On,
        /// The right on each object whose events are to arrive.
        right: Right,
    },
    /// It ends what a [`Rule::Register`] of the same connection began.
    Deregister,
    /// libvirtd sends it: an event about the handle in it. A client that calls it is refused.
    Event(On),
    /// libvirtd sends it when its own link to the hypervisor breaks. The gate sends it when the link
    /// to libvirtd does.
    Closed,
    /// Nobody may call it, for this reason.
    Refused(&'static str),
}

impl Rule {
    /// The word for this way of treating procedures.
    pub const fn word(&self) -> &'static str {
        match self {
            Rule::Own(_) => "own",
            Rule::Needs { .. } => "needs",
            Rule::Describe { .. } => "describe",
            Rule::List(_) => "list",
            Rule::Recast(_) => "recast",
            Rule::Lookup(_) => "lookup",
            Rule::Judged(_) => "judge",
            Rule::Register { .. } => "register",
            Rule::Deregister => "deregister",
            Rule::Event(_) => "event",
            Rule::Closed => "closed",
            Rule::Refused(_) => "refused",
        }
    }
}

/// What a right is needed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum On {
    /// The host, or libvirt as a whole.
    Host,
    /// The VM of a VM, snapshot or checkpoint handle.
    Vm,
    /// The network of a network or port handle.
    Network,
    /// A network filter.
    Filter,
    /// A filter binding.
    Binding,
    /// An interface of the host.
    Interface,
    /// A storage pool.
    Pool,
    /// A volume.
    Volume,
    /// A device of the host.
    Device,
    /// A secret.
    Secret,
}

impl HandleKind {
    /// What rights on such a handle are about.
    pub const fn object(self) -> On {
        match self {
            HandleKind::Vm | HandleKind::Snapshot | HandleKind::Checkpoint => On::Vm,
            HandleKind::Network | HandleKind::Port => On::Network,
            HandleKind::Filter => On::Filter,
            HandleKind::Binding => On::Binding,
            HandleKind::Interface => On::Interface,
            HandleKind::Pool => On::Pool,
            HandleKind::Volume => On::Volume,
            HandleKind::Device => On::Device,
            HandleKind::Secret => On::Secret,
        }
    }
}

/// Rights that a call needs besides those of its rule, on the same object, because of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The argument, a number: mostly `flags`.
    pub argument: &'static str,
    /// It holds if any of these bits is set.
    pub mask: u32,
    /// What is then needed as well.
    pub rights: &'static [Right],
}

/// A check of arguments that libvirtd must not be left alone with. See [`check`](crate::rpc::check).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// CPU models in XML.
    CpuXml,
    /// A number of page sizes times a number of cells.
    Pages,
}

/// What the gate answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Own {
    /// CONNECT_OPEN: once; libvirtd gets the gate's own literal name, whatever the client asked for.
    Open,
    /// CONNECT_CLOSE: passed on, then both links end.
    Close,
    /// AUTH_LIST: none is needed, the peer is known from the kernel.
    AuthList,
    /// AUTH_SASL_INIT.
    SaslInit,
    /// AUTH_SASL_START.
    SaslStart,
    /// AUTH_SASL_STEP.
    SaslStep,
    /// AUTH_POLKIT.
    Polkit,
    /// CONNECT_SUPPORTS_FEATURE: keepalive is the gate's, the other answers are libvirtd's.
    Feature,
    /// CONNECT_GET_URI.
    Uri,
    /// CONNECT_IS_SECURE: about the client's link, not the gate's.
    Secure,
    /// CONNECT_(UN)REGISTER_CLOSE_CALLBACK: the gate tells the client when the link to libvirtd ends.
    CloseCallback,
    /// CONNECT_SET_IDENTITY: the gate's alone to send; a client's is refused.
    Identity,
}

/// What a list lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Listed {
    /// Handles, or names of devices.
    Handles(HandleKind),
    /// Statistics, a record for each VM. The VMs asked for are filtered as well; if that leaves none
    /// of some, the answer is empty: an empty list asks for all.
    Stats,
    /// Addresses given out in a network ([`Right::View`] on it), one record for each network card.
    Leases,
}

/// What to call instead of a list or count of the oldest kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recast {
    /// The procedure of the same program to call. Arguments of the same name are copied from the
    /// client's call, `need_results` is 1, and a `maxnames` is the most its reply may hold.
    pub call: u32,
    /// Its `flags`.
    pub flags: u32,
    /// The form of the answer.
    pub form: Form,
}

/// The forms of the oldest answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// How many.
    Count,
    /// Names, as many as the client has room for.
    Names,
    /// UUIDs in text.
    Uuids,
    /// Numbers of running VMs.
    Ids,
}

macro_rules! judges {
    ($($(#[doc = $doc:literal])* $name:ident $word:literal [$($right:expr),*];)*) => {
        /// Calls whose needs depend on what they carry. There is one judging function in the gate for
        /// each; what is said here is the least that it must demand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Judge {
            $($(#[doc = $doc])* $name,)*
        }

        impl Judge {
            /// All of them.
            pub const ALL: &'static [Judge] = &[$(Judge::$name,)*];

            /// The word for it in `procedures.tsv`.
            pub const fn word(self) -> &'static str {
                match self { $(Judge::$name => $word,)* }
            }

            /// The rights that it needs whatever it carries: a lower bound, for a second look at what the
            /// judging function demands. Empty where everything depends on the content.
            pub const fn least(self) -> &'static [Right] {
                match self { $(Judge::$name => &[$($right),*],)* }
            }
        }
    };
}

const CONFIGURE: Right = Right::Function(Function::ConfigureVms);
const NETWORKS: Right = Right::Function(Function::ConfigureNetworks);
const DEVICES: Right = Right::Function(Function::ConfigureDevices);
const SHARING: Right = Right::Function(Function::ConfigureSharing);
const START: Right = Right::Function(Function::Start);
const CHECKPOINT: Right = Right::Function(Function::Checkpoint);
const SUSPEND: Right = Right::Function(Function::Suspend);
const RESUME: Right = Right::Function(Function::Resume);

judges! {
    /// Start a defined VM: 22. Looks at a managed save first (26 as well), and with START_PAUSED 1 at
    /// 25, AUTODESTROY 2 at 23, FORCE_BOOT 8 (drops the managed save) at 25, RESET_NVRAM 32 at 3.
    Start "start" [START];
    /// Create a VM that lasts while it runs, from `xml_desc`: 3, 22 and what the definition holds.
    CreateVm "create-vm" [CONFIGURE, START];
    /// Define a VM from `xml`, new or over the one with the same UUID: what differs.
    DefineVm "define-vm" [];
    /// Attach the device in `xml`.
    AttachDevice "attach-device" [];
    /// Detach the device that matches `xml`.
    DetachDevice "detach-device" [];
    /// Detach the device with an `alias`.
    DetachAlias "detach-alias" [];
    /// Change the device that matches `xml`: what differs. A medium in a drive is 21.
    UpdateDevice "update-device" [];
    /// Write a VM's memory to a file and stop it: 25. `to`, or parameter `file`, is a host path;
    /// `dxml` replaces the definition that will be restored.
    Save "save" [SUSPEND];
    /// Start a VM from such a file: 22 and 26, and whatever the definition within (or `dxml`) holds.
    Restore "restore" [START, RESUME];
    /// Read the definition within such a file.
    SaveImageXml "save-image-xml" [];
    /// Replace the definition within such a file: 3 and what differs.
    SaveImageDefine "save-image-define" [CONFIGURE];
    /// Replace the definition within the managed save: 3 and what differs.
    ManagedSaveDefine "managed-save-define" [CONFIGURE];
    /// Take a snapshot: 24; REDEFINE 1 brings a definition of its own, HALT 8 is 23, files are host paths.
    SnapshotCreate "snapshot-create" [CHECKPOINT];
    /// Forget a snapshot: 24. Of one that is outside the disks, what was written since goes down into what was before.
    SnapshotDelete "snapshot-delete" [CHECKPOINT];
    /// Go back to a snapshot: 24, whatever its definition changes, and 22, 23, 25, 26 by the state it ends in.
    SnapshotRevert "snapshot-revert" [CHECKPOINT];
    /// Create a checkpoint: 24; REDEFINE 1 brings a definition of its own.
    CheckpointCreate "checkpoint-create" [CHECKPOINT];
    /// Copy disks out, or serve them: 24 and Administer; targets are host paths or sockets.
    Backup "backup" [CHECKPOINT, Right::Administer];
    /// Write a VM's memory to the host path `to`: Administer; 25 without LIVE 2, 23 with CRASH 1, 22 and 23 with RESET 8.
    CoreDump "core-dump" [Right::Administer];
    /// Write what is above a file of a disk's chain into it: 3 and 8.
    BlockCommit "block-commit" [CONFIGURE, SHARING];
    /// End a job; with PIVOT 2 the copy becomes the disk: 3.
    BlockJobAbort "block-job-abort" [CONFIGURE];
    /// Rebase or (COPY 8) copy a disk: 3; `base` is then a host path.
    BlockRebase "block-rebase" [CONFIGURE];
    /// Copy a disk to the destination in `destxml`: 3 and what the destination is.
    BlockCopy "block-copy" [CONFIGURE];
    /// Change a VM's title, description or metadata: 3. The project's own namespace is nobody's to set.
    SetMetadata "set-metadata" [CONFIGURE];
    /// Name descriptors that a later definition uses as disks: 3 and 7, for the gate cannot see what they are.
    FdAssociate "fd-associate" [CONFIGURE, DEVICES];
    /// Open a channel `name` of a VM: Operate; the agent's channel is Guest and Raw.
    OpenChannel "open-channel" [Right::Operate];
    /// Open a VM's screen: Operate; SKIPAUTH 1 passes over its password.
    OpenGraphics "open-graphics" [Right::Operate];
    /// Send a VM away: 3 and Administer. XML in the arguments or parameters is judged as a definition.
    MigrateOut "migrate-out" [CONFIGURE, Right::Administer];
    /// Take a VM in: 3, 22 and Administer. XML in the arguments or parameters is judged as a definition.
    MigrateIn "migrate-in" [CONFIGURE, START, Right::Administer];
    /// Put a definition into the emulator's own words: 3, and its emulator must be an allowed one.
    ToNative "to-native" [CONFIGURE];
    /// Capabilities of an emulator: View on the host if `emulator` is absent or an allowed one, which
    /// libvirtd runs to ask it; else Raw.
    Capabilities "capabilities" [];
    /// Take a device from the host, give it back, reset or destroy it: 7, and not what the host cannot do without.
    HostDevice "host-device" [DEVICES];
    /// Create a network that lasts while it runs: 5, and 7 if it reaches a physical device.
    CreateNetwork "create-network" [NETWORKS];
    /// Define a network, new or over an old one: 5, and 7 if it reaches a physical device.
    DefineNetwork "define-network" [NETWORKS];
    /// Start a defined network: 5.
    StartNetwork "start-network" [NETWORKS];
    /// Change a `section` of a network: 5.
    UpdateNetwork "update-network" [NETWORKS];
    /// Change a network's title, description or metadata: 5. The project's own namespace is nobody's to set.
    NetworkMetadata "network-metadata" [NETWORKS];
    /// Create a pool that lasts while it runs: Administer, and 7 or 8 by its kind.
    CreatePool "create-pool" [Right::Administer];
    /// Define a pool: Administer, and 7 or 8 by its kind.
    DefinePool "define-pool" [Right::Administer];
    /// Look again what is in a pool: 3; 21 where it is the media library.
    RefreshPool "refresh-pool" [];
    /// Create a volume: 3, 7 in a pool of physical devices; a backing store is a host path.
    CreateVolume "create-volume" [CONFIGURE];
    /// Create a volume from `clonevol`: as for creating one, and 3 and 8 on the volume that it copies.
    CloneVolume "clone-volume" [CONFIGURE, SHARING];
    /// Overwrite a volume: 3, 7 in a pool of physical devices.
    Upload "upload" [CONFIGURE];
    /// Read a whole volume: 3, and 8.
    Download "download" [CONFIGURE, SHARING];
}

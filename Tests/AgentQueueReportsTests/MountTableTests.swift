import AgentQueueReports
import Testing

@Suite struct MountTableTests {
    @Test(arguments: ["nfs4", "9p", "virtiofs", "vboxsf", "lustre", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse"])
    func locksDoNotWorkThere(_ type: String) { #expect(MountTable.hasUnreliableLocks(type)) }

    @Test(arguments: ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "f2fs"])
    func locksWorkThere(_ type: String) { #expect(!MountTable.hasUnreliableLocks(type)) }
}

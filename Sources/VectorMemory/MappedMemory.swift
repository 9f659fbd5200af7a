import Glibc

/// Memory of whole pages, zero at first. What is not touched takes none, and what is given back goes back to the system at once.
final class MappedMemory {
    /// Where it begins: a multiple of 2 MiB, so that large pages fit.
    let bytes: UnsafeMutableRawPointer
    private let count: Int
    private let whole: (start: UnsafeMutableRawPointer, count: Int)

    private static let largePage = 2 << 20

    /// Maps so many bytes. Ends the process where there is no more memory, as every allocation in Swift does.
    init(_ count: Int) {
        let mapped = count + Self.largePage
        let start = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let start, start != MAP_FAILED else { preconditionFailure("no memory for vectors") }
        bytes = start.alignedUp(toMultipleOf: Self.largePage)
        self.count = count
        whole = (start, mapped)
    }

    deinit { munmap(whole.start, whole.count) }

    /// Asks for large pages, which a scan gets through faster, for what is touched from now on: worth it where most of it will be.
    func preferLargePages() { madvise(bytes, count, MADV_HUGEPAGE) }
}

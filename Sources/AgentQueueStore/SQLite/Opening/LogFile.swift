import AgentQueueModel
import GRDB
import GRDBSQLite
import Glibc

/// What the write-ahead log beside a database says about the database that it belongs to.
///
/// SQLite replays whatever log it finds beside a file. Where a copy was put back in place of a database, that would mix the two, so the
/// first process to open them compares the change counter in the header of the file with those of the log's images of that page. A
/// connection that changes page 1 writes the counter that it read, plus one. So the counter of the file is that of the first image, one
/// less, or, if a checkpoint has moved a part of the log, that of another image.
struct LogFile {
    /// The lowest and highest change counter among the images of page 1; nil if there is none.
    private(set) var counters: ClosedRange<UInt32>?
    private(set) var frames = 0

    private static let headerLength = 32
    private static let frameHeaderLength = 24

    /// Reads the log of a database. SQLite holds no lock on this file, so closing it drops none.
    /// - Parameter verifies: whether frames are checked by their checksums, as SQLite does; without, what a power failure left of the last
    ///   commit counts too.
    init(of path: String, verifies: Bool) throws(StoreError) {
        let descriptor = Glibc.open(path + "-wal", O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw PrivateFile.failure(path + "-wal", errno)
        }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: Self.headerLength)
        guard pread(descriptor, &header, Self.headerLength, 0) == Self.headerLength else { return }
        let magic = Self.word(header, 0)
        let pageSize = Int(Self.word(header, 8))
        guard magic & ~1 == 0x377F_0682, (512...65_536).contains(pageSize) else { return }
        var checksum = Checksum(isBigEndian: magic & 1 == 1)
        if verifies {
            checksum.add(header[..<24])
            guard checksum.matches(header, at: 24) else { return }
        }
        // Without checksums, only the head of each page is read.
        var frame = [UInt8](repeating: 0, count: Self.frameHeaderLength + (verifies ? pageSize : 28))
        var offset = Self.headerLength
        var uncommitted: [UInt32] = []
        var length = 0
        while pread(descriptor, &frame, frame.count, off_t(offset)) == frame.count, frame[8..<16] == header[16..<24] {
            if verifies {
                checksum.add(frame[..<8])
                checksum.add(frame[Self.frameHeaderLength...])
                guard checksum.matches(frame, at: 16) else { return }
            }
            offset += Self.frameHeaderLength + pageSize
            length += 1
            if Self.word(frame, 0) == 1 { uncommitted.append(Self.word(frame, Self.frameHeaderLength + 24)) }
            // Only the last frame of a commit has the size of the database.
            guard Self.word(frame, 4) != 0 else { continue }
            for counter in uncommitted {
                counters = min(counters?.lowerBound ?? counter, counter)...max(counters?.upperBound ?? counter, counter)
            }
            uncommitted = []
            frames = length
        }
    }

    /// Whether the log can belong to a database file that begins with these bytes.
    func fits(_ header: DatabaseHeader) -> Bool {
        guard frames > 0 else { return true }
        guard header.isWAL else { return false }
        guard let counters else { return true }
        let (first, isFirst) = counters.lowerBound.subtractingReportingOverflow(1)
        return header.changeCounter <= counters.upperBound && (isFirst || header.changeCounter >= first)
    }

    fileprivate static func word(_ bytes: [UInt8], _ place: Int) -> UInt32 {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The running checksum of SQLite's log format.
    private struct Checksum {
        let isBigEndian: Bool
        private var first: UInt32 = 0
        private var second: UInt32 = 0

        init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

        /// Adds bytes, a multiple of eight.
        mutating func add(_ bytes: ArraySlice<UInt8>) {
            bytes.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: bytes.count & ~7, by: 8) {
                    let one = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
                    let two = bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self)
                    first = first &+ (isBigEndian ? one.bigEndian : one.littleEndian) &+ second
                    second = second &+ (isBigEndian ? two.bigEndian : two.littleEndian) &+ first
                }
            }
        }

        func matches(_ bytes: [UInt8], at place: Int) -> Bool {
            first == LogFile.word(bytes, place) && second == LogFile.word(bytes, place + 4)
        }
    }
}

/// The header of a database file, as the disk has it: without what is in the log.
struct DatabaseHeader {
    let isWAL: Bool
    let changeCounter: UInt32

    /// Reads it through SQLite's own descriptor, because closing another would drop SQLite's locks in this process.
    /// - Returns: nil if the file is shorter than a header.
    init?(_ connection: OpaquePointer) {
        var pointer: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &pointer) == SQLITE_OK, let file = pointer,
            let methods = file.pointee.pMethods, let read = methods.pointee.xRead
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: 100)
        guard read(file, &bytes, CInt(bytes.count), 0) == SQLITE_OK else { return nil }
        isWAL = bytes[18] == 2 && bytes[19] == 2
        changeCounter = LogFile.word(bytes, 24)
    }
}

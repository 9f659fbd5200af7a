import AgentQueueDialects
import AgentQueueStore

/// Stores the bytes of a file piece by piece as they come. No more than one piece of it is in memory.
struct FileWriter {
    private let files: FileStore
    private let key: Int64
    private let largest: Int64
    private var file: Int64?
    private var number = 0
    private var piece: [UInt8] = []
    /// The length of the file so far.
    private(set) var bytes: Int64 = 0

    /// - Parameters:
    ///   - key: the id of the key that the file belongs to.
    ///   - largest: the most bytes.
    init(_ files: FileStore, key: Int64, largest: Int64) {
        self.files = files
        self.key = key
        self.largest = largest
    }

    mutating func add(_ new: [UInt8]) async throws {
        guard bytes + Int64(new.count) <= largest else {
            throw GatewayError(.tooLarge, "The file is larger than \(largest) bytes: send it in parts.")
        }
        bytes += Int64(new.count)
        var rest = new[...]
        while !rest.isEmpty {
            let part = rest.prefix(FileStore.pieceLength - piece.count)
            piece += part
            rest = rest.dropFirst(part.count)
            if piece.count == FileStore.pieceLength { try await storePiece() }
        }
    }

    /// Stores the rest. Returns the file, which is not complete yet.
    mutating func finish() async throws -> Int64 {
        try await storePiece()
        return try await begun()
    }

    /// Removes what has been stored. What cannot be removed now is removed by pruning.
    func discard() async {
        if let file { _ = try? await files.delete(file, key: key) }
    }

    private mutating func storePiece() async throws {
        guard !piece.isEmpty else { return }
        let id = try await begun()
        try await files.append(piece, to: id, number: number)
        number += 1
        piece.removeAll(keepingCapacity: true)
    }

    private mutating func begun() async throws -> Int64 {
        if let file { return file }
        let id = try await files.begin(key: key)
        file = id
        return id
    }
}

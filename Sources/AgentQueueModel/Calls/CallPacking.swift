/// Packs jobs into calls in order: each goes into the open call if it fits, otherwise into a new one. A job larger than the capacity of a
/// call gets a call of its own, which the provider has to split.
package struct CallPacking: Sendable {
    private let capacity: CallCapacity
    private var callsLeft: Int
    private var inputs: Int
    private var bytes: Int
    private var isOpen: Bool

    /// Starts packing.
    /// - Parameters:
    ///   - calls: how many calls may be made besides one that is already open.
    ///   - inputs: the number of texts in the call that is already open; nil if there is none.
    ///   - bytes: the number of bytes in it.
    package init(_ capacity: CallCapacity, calls: Int, inputs: Int? = nil, bytes: Int = 0) {
        self.capacity = capacity
        callsLeft = calls
        self.inputs = inputs ?? 0
        self.bytes = bytes
        isOpen = inputs != nil
    }

    /// Where a job goes.
    package enum Place: Sendable, Equatable {
        /// Into the open call.
        case same
        /// Into a new call.
        case next
        /// Nowhere: all calls are full.
        case none
    }

    /// Whether the open call cannot take any more.
    package var isFull: Bool { isOpen && (inputs >= capacity.inputs || bytes >= capacity.bytes) }

    /// Places a job.
    /// - Parameter mayOpen: whether a new call may be opened for it.
    package mutating func place(inputs count: Int, bytes size: Int, mayOpen: Bool = true) -> Place {
        let count = max(1, count)
        if isOpen, inputs <= capacity.inputs - count, bytes <= capacity.bytes - size {
            inputs += count
            bytes += size
            return .same
        }
        guard mayOpen, callsLeft > 0 else { return .none }
        callsLeft -= 1
        (inputs, bytes, isOpen) = (count, size, true)
        return .next
    }
}

/// The capacity of one call that several jobs share.
package struct CallCapacity: Sendable, Equatable {
    package var inputs: Int
    /// The total size of the requests in bytes.
    package var bytes: Int

    /// Values below one text and one byte are raised to one.
    package init(inputs: Int, bytes: Int = .max) {
        self.inputs = max(1, inputs)
        self.bytes = max(1, bytes)
    }
}

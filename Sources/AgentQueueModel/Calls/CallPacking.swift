/// Puts jobs into calls, in their order: each into the last call, where it fits, else into the next. A job that is larger than a call
/// may be gets one of its own, which the provider will have to divide.
package struct CallPacking: Sendable {
    private let capacity: CallCapacity
    private var callsLeft: Int
    private var inputs: Int
    private var bytes: Int
    private var isOpen: Bool

    /// Begins.
    /// - Parameters:
    ///   - calls: how many calls there may be, besides one that is open already.
    ///   - inputs: the texts in the call that is open already; nil where none is.
    ///   - bytes: the bytes in it.
    package init(_ capacity: CallCapacity, calls: Int, inputs: Int? = nil, bytes: Int = 0) {
        self.capacity = capacity
        callsLeft = calls
        self.inputs = inputs ?? 0
        self.bytes = bytes
        isOpen = inputs != nil
    }

    /// Where a job goes.
    package enum Place: Sendable, Equatable {
        /// Into the call that is open.
        case same
        /// Into a new one.
        case next
        /// Nowhere: all calls are full.
        case none
    }

    /// Whether the open call can take no more.
    package var isFull: Bool { isOpen && (inputs >= capacity.inputs || bytes >= capacity.bytes) }

    /// Places a job.
    /// - Parameter mayOpen: whether it may have a new call.
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

/// What one call that several jobs share may hold.
package struct CallCapacity: Sendable, Equatable {
    /// Texts.
    package var inputs: Int
    /// Bytes of the requests together.
    package var bytes: Int

    /// Makes one, of at least one text and one byte.
    package init(inputs: Int, bytes: Int = .max) {
        self.inputs = max(1, inputs)
        self.bytes = max(1, bytes)
    }
}

import JobModel

/// What is set aside for a call under way: a row of `reservations`.
struct Reservation: Equatable {
    var lease: Lease
    /// The call's number, from the counter that tokens come from.
    var call: Int64
    var target: Target
    var estimate: CallEstimate
    var isProbe: Bool
    /// The batch whose budget holds the worst cost.
    var batch: Int64?
}

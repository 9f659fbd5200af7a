/// Why a step cannot be gone through to its end now.
enum Halt: Error {
    /// It depends on outputs that are not at hand.
    case missing
    /// It failed, and what that means is its policy's.
    case failed(String)
}

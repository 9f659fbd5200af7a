/// What adding a job would come to.
public enum Foresight: Sendable, Equatable {
    /// It would have to be called for, unless an identical one is.
    case call
    /// The cache would answer it.
    case cached
    /// A job has its unique key, and nothing would be added.
    case taken
}

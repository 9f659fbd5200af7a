/// Why a file is no `.npy` file that vectors can be read from: one clause.
struct NumPyError: Error, Equatable {
    let message: String

    init(_ message: String) { self.message = message }
}

/// The version of the library and its programs.
package enum Version {
    /// As `--version` prints it (semver.org).
    package static let text = "0.1.0"
}

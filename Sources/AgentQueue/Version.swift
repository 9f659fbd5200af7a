/// The version of the library and its programs.
package enum Version {
    /// In the form of `--version` (semver.org).
    package static let text = "0.1.0"
}

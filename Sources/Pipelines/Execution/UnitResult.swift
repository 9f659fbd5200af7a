import JobModel

/// What came of a unit whose calls have ended.
enum UnitResult {
    case value(JSONValue)
    case failed(String)
}

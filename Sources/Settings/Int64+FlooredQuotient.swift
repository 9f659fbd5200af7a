extension Int64 {
    /// Division that rounds down, for days before 1970. `divisor` is positive.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

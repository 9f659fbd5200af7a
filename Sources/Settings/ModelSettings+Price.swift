/// The price's parts as keys of their own: setting one makes the price known, and the other 0 until it is set too.
extension ModelSettings {
    var inputPerMTok: Double? {
        get { price?.inputPerMTok }
        set { setPrice(input: newValue, output: price?.outputPerMTok) }
    }

    var outputPerMTok: Double? {
        get { price?.outputPerMTok }
        set { setPrice(input: price?.inputPerMTok, output: newValue) }
    }

    private mutating func setPrice(input: Double?, output: Double?) {
        price = input == nil && output == nil ? nil : ModelPrice(inputPerMTok: input ?? 0, outputPerMTok: output ?? 0)
    }
}

/// The price's parts as keys of their own: setting one makes the price known, and the others 0 (or the input's) until they are set too.
extension ModelSettings {
    var inputPerMTok: Double? {
        get { price?.inputPerMTok }
        set { setPrice { $0.inputPerMTok = newValue ?? 0 } }
    }

    var outputPerMTok: Double? {
        get { price?.outputPerMTok }
        set { setPrice { $0.outputPerMTok = newValue ?? 0 } }
    }

    var cacheReadPerMTok: Double? {
        get { price?.cacheReadPerMTok }
        set { setPrice { $0.cacheReadPerMTok = newValue } }
    }

    var cacheWritePerMTok: Double? {
        get { price?.cacheWritePerMTok }
        set { setPrice { $0.cacheWritePerMTok = newValue } }
    }

    private mutating func setPrice(_ change: (inout ModelPrice) -> Void) {
        let unknown = ModelPrice(inputPerMTok: 0, outputPerMTok: 0)
        var changed = price ?? unknown
        change(&changed)
        price = changed == unknown && price == nil ? nil : changed
    }
}

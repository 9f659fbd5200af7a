import JobModel

extension SchemaCheck {
    mutating func fits(number value: JSONValue, _ rule: NumberRule) -> Bool {
        guard let number = ExactNumber(value) else { return fail("must be a finite number") }
        var fit = true
        for bound in rule.bounds where !bound.allows(number) {
            fit = fail("must be \(bound.kind.words) \(bound.limit.shown)")
            if isFull { return false }
        }
        if let divisor = rule.multipleOf, !number.isMultiple(of: divisor.value) {
            fit = fail("must be a multiple of \(divisor.shown)")
        }
        return fit
    }

    mutating func fits(text: String, _ rule: TextRule) -> Bool {
        var fit = true
        if rule.least != nil || rule.most != nil {
            let length = text.unicodeScalars.count
            guard spend(length / 64) else { return false }
            if let least = rule.least, length < least {
                fit = fail("must have at least \(ShownJSON.count(least, "character")), not \(length)")
            } else if let most = rule.most, length > most {
                fit = fail("must have at most \(ShownJSON.count(most, "character")), not \(length)")
            }
        }
        if let pattern = rule.pattern, goesOn(true, &fit), !finds(pattern, in: text) {
            fit = fail("must fit the pattern \(ShownJSON.clean(pattern.source))")
        }
        return fit
    }

    /// Whether a pattern fits anywhere in a text.
    mutating func finds(_ pattern: SchemaPattern, in text: String) -> Bool {
        var matcher = PatternMatcher(text, budget: budget)
        let found = matcher.finds(pattern.program)
        guard spend(budget - matcher.budget), let found else { return false }
        return found
    }
}

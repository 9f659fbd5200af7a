import JobModel

extension SchemaCheck {
    mutating func fits(list elements: [JSONValue], _ rule: ListRule) -> Bool {
        var fit = true
        if let least = rule.least, elements.count < least {
            fit = fail("must have at least \(ShownJSON.count(least, "element")), not \(elements.count)")
        } else if let most = rule.most, elements.count > most {
            fit = fail("must have at most \(ShownJSON.count(most, "element")), not \(elements.count)")
        }
        guard goesOn(!rule.isUnique || areUnique(elements), &fit) else { return false }
        guard goesOn(eachFits(elements, rule), &fit) else { return false }
        if let wanted = rule.wanted { return goesOn(holdsWanted(elements, wanted, rule), &fit) && fit }
        return fit
    }

    private mutating func eachFits(_ elements: [JSONValue], _ rule: ListRule) -> Bool {
        guard rule.rest != nil || !rule.first.isEmpty else { return true }
        var fit = true
        for (index, element) in elements.enumerated() {
            guard let schema = index < rule.first.count ? rule.first[index] : rule.rest else { break }
            guard goesOn(within(.index(index)) { $0.fits(element, schema) }, &fit) else { return false }
        }
        return fit
    }

    private mutating func areUnique(_ elements: [JSONValue]) -> Bool {
        var places: [[UInt8]: Int] = [:]
        for (index, element) in elements.enumerated() {
            let key = element.equalityKey
            guard spend(1 + key.count / 64) else { return false }
            if let earlier = places.updateValue(index, forKey: key) {
                return fail("must have no two equal elements, but \(earlier) and \(index) are")
            }
        }
        return true
    }

    private mutating func holdsWanted(_ elements: [JSONValue], _ wanted: Int, _ rule: ListRule) -> Bool {
        var count = 0
        for element in elements {
            if quietly({ $0.fits(element, wanted) }) { count += 1 }
            // More makes no difference.
            if surrender != nil || rule.mostWanted == nil && count >= rule.leastWanted { break }
        }
        let kind = "of the kind that 'contains' asks for, not \(count)"
        if count < rule.leastWanted {
            return fail("must have at least \(ShownJSON.count(rule.leastWanted, "element")) \(kind)")
        }
        if let most = rule.mostWanted, count > most {
            return fail("must have at most \(ShownJSON.count(most, "element")) \(kind)")
        }
        return true
    }
}

/// A set of code points that one character of a pattern may be.
struct PatternSet: Sendable, Equatable {
    var ranges: [ClosedRange<UInt32>] = []
    /// All code points of these general categories are in the set too.
    var categories: Set<Unicode.GeneralCategory> = []
    /// Code points outside each of these groups of categories are in the set too: each group is one `\P{…}`.
    var missingCategories: [Set<Unicode.GeneralCategory>] = []
    /// Whether the set is the complement of all this.
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool { holds(scalar) != isNegated }

    private func holds(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return true }
        guard !categories.isEmpty || !missingCategories.isEmpty, let unicode = Unicode.Scalar(scalar) else { return false }
        let category = unicode.properties.generalCategory
        return categories.contains(category) || missingCategories.contains { !$0.contains(category) }
    }

    /// Union with a set that is not negated.
    mutating func formUnion(_ other: PatternSet) {
        ranges += other.ranges
        categories.formUnion(other.categories)
        missingCategories += other.missingCategories
    }

    static func range(_ first: Character, _ last: Character) -> ClosedRange<UInt32> {
        (first.unicodeScalars.first?.value ?? 0)...(last.unicodeScalars.first?.value ?? 0)
    }

    static let lastScalar: UInt32 = 0x10FFFF

    /// `\d`
    static let digits = PatternSet(ranges: [range("0", "9")])
    /// `\w`
    static let wordCharacters = PatternSet(ranges: [range("a", "z"), range("A", "Z"), range("0", "9"), range("_", "_")])
    /// `\s`, as defined by ECMA-262.
    static let blanks = PatternSet(ranges: [
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F,
        0x3000...0x3000, 0xFEFF...0xFEFF,
    ])
    /// `.`: everything but line terminators.
    static let anyButLineEnds = PatternSet(ranges: [0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029], isNegated: true)

    /// The complement of a set of plain ranges, as ranges.
    var complement: PatternSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= Self.lastScalar { gaps.append(next...Self.lastScalar) }
        return PatternSet(ranges: gaps)
    }
}

extension PatternSet {
    /// General categories by the names that `\p{…}` accepts.
    private static let categoriesByName: [String: Set<Unicode.GeneralCategory>] = {
        let single: [(String, String, Unicode.GeneralCategory)] = [
            ("Lu", "Uppercase_Letter", .uppercaseLetter), ("Ll", "Lowercase_Letter", .lowercaseLetter),
            ("Lt", "Titlecase_Letter", .titlecaseLetter), ("Lm", "Modifier_Letter", .modifierLetter), ("Lo", "Other_Letter", .otherLetter),
            ("Mn", "Nonspacing_Mark", .nonspacingMark), ("Mc", "Spacing_Mark", .spacingMark), ("Me", "Enclosing_Mark", .enclosingMark),
            ("Nd", "Decimal_Number", .decimalNumber), ("Nl", "Letter_Number", .letterNumber), ("No", "Other_Number", .otherNumber),
            ("Pc", "Connector_Punctuation", .connectorPunctuation), ("Pd", "Dash_Punctuation", .dashPunctuation),
            ("Ps", "Open_Punctuation", .openPunctuation), ("Pe", "Close_Punctuation", .closePunctuation),
            ("Pi", "Initial_Punctuation", .initialPunctuation), ("Pf", "Final_Punctuation", .finalPunctuation),
            ("Po", "Other_Punctuation", .otherPunctuation), ("Sm", "Math_Symbol", .mathSymbol),
            ("Sc", "Currency_Symbol", .currencySymbol), ("Sk", "Modifier_Symbol", .modifierSymbol), ("So", "Other_Symbol", .otherSymbol),
            ("Zs", "Space_Separator", .spaceSeparator), ("Zl", "Line_Separator", .lineSeparator),
            ("Zp", "Paragraph_Separator", .paragraphSeparator), ("Cc", "Control", .control), ("Cf", "Format", .format),
            ("Cs", "Surrogate", .surrogate), ("Co", "Private_Use", .privateUse), ("Cn", "Unassigned", .unassigned),
        ]
        let groups = [
            ("L", "Letter"), ("M", "Mark"), ("N", "Number"), ("P", "Punctuation"), ("S", "Symbol"), ("Z", "Separator"), ("C", "Other"),
        ]
        var all: [String: Set<Unicode.GeneralCategory>] = [:]
        for (short, long, category) in single {
            all[short] = [category]
            all[long] = [category]
        }
        for (short, long) in groups {
            let members = Set(single.filter { $0.0.hasPrefix(short) }.map(\.2))
            all[short] = members
            all[long] = members
        }
        all["LC"] = [.uppercaseLetter, .lowercaseLetter, .titlecaseLetter]
        all["Cased_Letter"] = all["LC"]
        all["digit"] = [.decimalNumber]
        all["punct"] = all["P"]
        return all
    }()

    /// The set `\p{name}`; nil if the name is not a general category.
    static func category(_ name: String) -> Set<Unicode.GeneralCategory>? {
        for prefix in ["General_Category=", "gc="] where name.hasPrefix(prefix) {
            return categoriesByName[String(name.dropFirst(prefix.count))]
        }
        return categoriesByName[name]
    }
}

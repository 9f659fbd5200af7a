extension PatternSet {
    /// The general categories by the names that `\p{…}` may give them.
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

    /// What `\p{name}` holds; nil for a name that is not a general category.
    static func category(_ name: String) -> Set<Unicode.GeneralCategory>? {
        for prefix in ["General_Category=", "gc="] where name.hasPrefix(prefix) {
            return categoriesByName[String(name.dropFirst(prefix.count))]
        }
        return categoriesByName[name]
    }
}

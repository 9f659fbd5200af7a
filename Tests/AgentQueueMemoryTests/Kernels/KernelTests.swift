import AgentQueueTestSupport
import CAgentQueue
import Testing

@testable import AgentQueueMemory

/// Each kernel against the plain one, and that against arithmetic.
@Suite struct KernelTests {
    private static let levels: [vectors_level] = [.plain, .avx2, .avx512, .neon, .neonDot].filter(vectors_has)
    private static let dimensions = Array(1...200) + [384, 1_536, 4_096]

    /// Codes and queries: any, and the most extreme.
    enum Extreme: CaseIterable {
        case none
        case most
        case least
        case mixed

        func code(_ chance: inout SeededGenerator) -> UInt8 {
            switch self {
            case .none: UInt8.random(in: 1...255, using: &chance)
            case .most: 255
            case .least: 1
            case .mixed: Bool.random(using: &chance) ? 255 : 1
            }
        }

        func value(_ chance: inout SeededGenerator) -> Float {
            switch self {
            case .none: Float.random(in: -1...1, using: &chance)
            case .most, .least: 1
            case .mixed: Bool.random(using: &chance) ? 1 : -1
            }
        }
    }

    @Test func theWidestIsTaken() {
        #expect(vectors_has(vectors_best()))
        #expect(vectors_has(.plain))
        #if arch(x86_64)
            #expect(!vectors_has(.neon) && !vectors_has(.neonDot))
        #elseif arch(arm64)
            #expect(vectors_has(.neon) && !vectors_has(.avx2))
        #endif
    }

    @Test(arguments: Extreme.allCases) func dotProductsAreTheSame(_ extreme: Extreme) throws {
        var chance = SeededGenerator(seed: 1)
        for dimension in Self.dimensions {
            // More than a group, and a group that is not full.
            let count = dimension > 1_000 ? 18 : 37
            let codes = (0..<count * dimension).map { _ in extreme.code(&chance) }
            let query = try QuantizedQuery((0..<dimension).map { _ in extreme.value(&chance) }, dimension: dimension)
            let expected = (0..<count).map { row in
                var sum = 0
                for place in 0..<dimension { sum += (Int(codes[row * dimension + place]) - 128) * Int(query.form.values[place]) }
                return sum
            }
            for level in Self.levels {
                var form = query.form
                var dots = [Int32](repeating: 0, count: count)
                vectors_dots(level, codes, count, &form, &dots)
                #expect(dots.map(Int.init) == expected, "\(level) \(dimension)")
                codes.withUnsafeBufferPointer { codes in
                    let rows: [UnsafePointer<UInt8>?] = (0..<count).reversed().map { codes.baseAddress! + $0 * dimension }
                    vectors_dots_of(level, rows, count, &form, &dots)
                }
                #expect(dots.map(Int.init) == expected.reversed(), "\(level) \(dimension)")
            }
        }
    }

    @Test func halvesOfAQueryMakeTheWhole() throws {
        var chance = SeededGenerator(seed: 2)
        for dimension in Self.dimensions {
            let query = try QuantizedQuery((0..<dimension).map { _ in Extreme.none.value(&chance) }, dimension: dimension)
            let form = query.form
            for place in 0..<dimension {
                #expect(Int(form.high[place]) * 128 + Int(form.low[place]) == Int(form.values[place]))
                #expect((-64...63).contains(form.low[place]) && form.high[place] > -128)
            }
            // The bits are so few that no dot product is beyond 32.
            let most = (0..<dimension).reduce(0) { $0 + abs(Int(form.values[$1])) * 127 }
            #expect(most <= Int(Int32.max))
        }
    }

    @Test(arguments: [Float(0.9), 1, 1.1]) func whatReachesTheThresholdPasses(_ threshold: Float) {
        var chance = SeededGenerator(seed: 3)
        for share in [0.0, 0.01, 0.5, 1] {
            let bounds = (0..<256).map { _ in Double.random(in: 0..<1, using: &chance) < share ? threshold : threshold.nextDown }
            let before: [UInt64] = [.max, .max >> 7, 0, 0xf0f0_f0f0_f0f0_f0f0]
            var bits = before
            let count = vectors_passing(bounds, threshold, 4, &bits)
            var places = [UInt32](repeating: 0, count: 256)
            let expected = (0..<256).filter { bounds[$0] >= threshold && before[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
            #expect(vectors_list(bits, 4, &places) == expected.count && count == expected.count)
            #expect(places.prefix(count).map(Int.init) == expected)
        }
    }

    @Test(arguments: [vectors_metric.cosine, .dot, .euclidean]) func scoresOfBoundsAreTheSame(_ metric: vectors_metric) {
        var chance = SeededGenerator(seed: 4)
        for count in [1, 7, 8, 9, 64, 100] {
            let norms = (0..<104).map { _ in Float.random(in: 0.1...10, using: &chance) }
            let bonus = (0..<count).map { _ in Float.random(in: -1...1, using: &chance) }
            let cosines = (0..<104).map { _ in Float.random(in: -1...1.1, using: &chance) }
            for level in Self.levels {
                for hasBonus in [false, true] {
                    var bounds = cosines
                    vectors_weigh(level, metric, 1.5, norms, hasBonus ? bonus : nil, count, &bounds)
                    for row in 0..<count {
                        let (norm, cosine) = (Double(norms[row]), Double(cosines[row]))
                        let score =
                            switch metric {
                            case .cosine: cosine
                            case .dot: 1.5 * norm * cosine
                            case .euclidean: -max(0, 2.25 + norm * norm - 3 * norm * cosine).squareRoot()
                            }
                        let expected = score + (hasBonus ? Double(bonus[row]) : 0)
                        #expect(abs(Double(bounds[row]) - expected) < 1e-5 * max(1, abs(expected)), "\(level) \(count) \(row)")
                    }
                }
            }
        }
    }

    @Test func boundsOfSketchesAreTheSame() {
        var chance = SeededGenerator(seed: 5)
        for round in 0..<50 {
            let extreme = Extreme.allCases[round % 4]
            let rows = (0..<48 * 64).map { _ in extreme == .most ? 255 : UInt8.random(in: 0...255, using: &chance) }
            var values = (0..<128).map { _ -> Int8 in
                switch extreme {
                case .most: 127
                case .least: -127
                default: Int8.random(in: -127...127, using: &chance)
                }
            }
            for place in [60, 61, 62, 63, 124, 125, 126, 127] { values[place] = 0 }
            let places = (0..<21).map { _ in UInt32.random(in: 0..<48, using: &chance) }
            values.withUnsafeBufferPointer { values in
                var query = vectors_sketch_query(
                    low: values.baseAddress, high: values.baseAddress! + 64, scale: 0.001, inner: 0.5, outer: 0.25, constant: -0.125)
                var expected: [Double] = []
                for row in 0..<48 {
                    let bytes = rows[(row * 64)..<(row + 1) * 64].map { Int($0) }
                    var sum = 0
                    for place in 0..<60 {
                        sum += (bytes[place] & 15) * Int(values[place])
                        sum += (bytes[place] >> 4) * Int(values[64 + place])
                    }
                    let inner = Double(bytes[60] + bytes[61] * 256)
                    let outer = Double(bytes[62] + bytes[63] * 256)
                    let lacks: Double = (inner * 0.5 + outer * 0.25) / 16_384
                    expected.append(Double(sum) * 0.001 + lacks - 0.125)
                }
                for level in Self.levels {
                    var bounds = [Float](repeating: 0, count: 48)
                    vectors_sketch_bounds(level, rows, 48, &query, &bounds)
                    for row in 0..<48 { #expect(abs(Double(bounds[row]) - expected[row]) < 2e-4, "\(level) \(row)") }
                    vectors_sketch_bounds_of(level, rows, places, places.count, &query, &bounds)
                    for (index, place) in places.enumerated() {
                        #expect(abs(Double(bounds[index]) - expected[Int(place)]) < 2e-4, "\(level) \(place)")
                    }
                }
            }
        }
    }
}

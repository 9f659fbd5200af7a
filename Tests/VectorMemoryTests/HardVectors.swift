@testable import VectorMemory

/// Kinds of vectors that bounds could get wrong.
enum HardVectors: CaseIterable {
    case normal
    case clusters
    case tiny
    case huge
    case oneDominates
    case fewValues
    case sameEverywhere
    case nearlyAlike
    case opposite

    func make(_ count: Int, _ dimension: Int, seed: UInt64 = 1) -> [[Float]] {
        var chance = Chance(seed: seed)
        func any() -> Float { Float.random(in: -1...1, using: &chance) }
        return (0..<count).map { row in
            switch self {
            case .normal, .clusters: (0..<dimension).map { _ in any() + (self == .clusters ? Float(row % 3) : 0) }
            case .tiny: (0..<dimension).map { _ in (any() + 0.01) * 1e-34 }
            case .huge: (0..<dimension).map { _ in (any() + 0.01) * 1e36 }
            case .oneDominates: (0..<dimension).map { $0 == row % dimension ? 1 : any() * 1e-3 }
            case .fewValues: (0..<dimension).map { $0 == row % dimension ? 1 : Int.random(in: 0..<20, using: &chance) == 0 ? any() : 0 }
            case .sameEverywhere: (0..<dimension).map { _ in row % 2 == 0 ? 1 : -1 }
            case .nearlyAlike: (0..<dimension).map { Float($0 % 7 + 1) + any() * 1e-4 }
            case .opposite: (0..<dimension).map { (row % 2 == 0 ? 1 : -1) * (Float($0 % 5 + 1) + any() * 0.1) }
            }
        }
    }
}

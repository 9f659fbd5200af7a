import Settings
import Testing

@Suite struct ByteCountTextTests {
    @Test(arguments: [
        ("64MiB", Int64(67_108_864)), ("8GiB", 8_589_934_592), ("500kB", 500_000), ("500KB", 500_000), ("4096", 4096), ("0", 0),
        ("1TB", 1_000_000_000_000),
        ("1.5GiB", 1_610_612_736), ("64 mib", 67_108_864), ("12B", 12),
    ])
    func reads(_ text: String, _ expected: Int64) throws {
        #expect(try ByteCountText.parse(text) == expected)
    }

    @Test(arguments: ["", "MiB", "64M", "64K", "5 apples", "0x10", "1e6", "9223372036854775808", "9000000000TiB"])
    func refuses(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try ByteCountText.parse(text) } != nil)
    }

    @Test func namesTheRange() {
        #expect(
            refusal { () throws(InvalidText) in try ByteCountText.parse("2GiB", in: 0...(1 << 30)) } == "2GiB is out of range (0B to 1GiB)")
        #expect(refusal { () throws(InvalidText) in try ByteCountText.parse("-1") } == "'-1' is negative; a byte count cannot be")
    }

    @Test(arguments: [
        (Int64(0), "0B"), (67_108_864, "64MiB"), (500_000, "500kB"), (1537, "1537B"), (1_000_000, "1MB"), (1 << 40, "1TiB"),
        (.max, "9223372036854775807B"),
    ])
    func writes(_ bytes: Int64, _ expected: String) throws {
        #expect(ByteCountText.format(bytes) == expected)
        #expect(try ByteCountText.parse(expected) == bytes)
    }
}

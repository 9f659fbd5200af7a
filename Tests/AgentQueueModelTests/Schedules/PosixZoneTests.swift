import AgentQueueModel
import Testing

@Suite struct PosixZoneTests {
    /// Times as `date -u -d … +%s` gives them; offsets as `TZ=… date +%z`.
    @Test(
        arguments: [
            // 2026-03-29T00:59:59Z and 01:00:00Z, 2026-10-25T00:59:59Z and 01:00:00Z.
            (
                "CET-1CEST,M3.5.0,M10.5.0/3",
                [
                    (1_774_745_999, 3_600), (1_774_746_000, 7_200), (1_792_889_999, 7_200), (1_792_890_000, 3_600),
                ]
            ),
            // The dates of the United States: 2026-03-08T07:00Z, 2026-11-01T06:00Z.
            ("EST5EDT", [(1_772_953_199, -18_000), (1_772_953_200, -14_400), (1_793_512_799, -14_400), (1_793_512_800, -18_000)]),
            ("EST5EDT4,M3.2.0/2,M11.1.0/2:00:00", [(1_772_953_199, -18_000), (1_772_953_200, -14_400)]),
            // South of the equator, and half an hour of summer time: 2026-04-04T15:00Z, 2026-10-03T15:30Z.
            (
                "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
                [
                    (1_775_314_799, 39_600), (1_775_314_800, 37_800), (1_791_041_399, 37_800), (1_791_041_400, 39_600),
                ]
            ),
            ("JST-9", [(0, 32_400), (1_795_305_600, 32_400)]), ("<+03>-3", [(0, 10_800)]), ("UTC0", [(0, 0)]),
            ("NST3:30NDT2:30,M3.2.0,M11.1.0", [(1_768_435_200, -12_600), (1_782_864_000, -9_000)]),
            // Days of the year, with and without leap days: 2028-03-01T00:00Z is day 61 (J60).
            ("AAA0BBB,J60/0,J300/0", [(1_835_481_599, 0), (1_835_481_600, 3_600)]),
            ("AAA0BBB,60/0,300/0", [(1_835_481_599, 0), (1_835_481_600, 3_600)]),
        ] as [(String, [(Int64, Int64)])])
    func offsetsFollowTheRule(_ rule: String, _ expected: [(Int64, Int64)]) throws {
        let zone = try #require(PosixZone(rule))
        for (time, offset) in expected { #expect(zone.offset(at: time) == offset, "\(time)") }
    }

    @Test(arguments: [
        "", "CET", "EST", "Europe/Berlin", "Etc/GMT+5", "+02:00", "UTC+", "AB1", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-25",
        "CET-1CEST,M3.5.0,M10.5.0/3x", "<+3-3", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,J0,J5",
    ])
    func otherTextsAreNoRules(_ text: String) {
        #expect(PosixZone(text) == nil)
    }
}

import Testing

@testable import ModelProviders

@Suite struct RetryAfterTests {
    @Test(
        arguments: [
            ("0", 0), ("1", 1_000), ("0.25", 250), (" 3 ", 3_000), ("-5", 0), ("1000000", 86_400_000),
            ("99999999999999999999999999999999999", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", 0), ("Sun, 06 Nov 1994 08:50:37 GMT", 60_000),
            ("Sat, 06 Nov 2094 08:50:37 GMT", 86_400_000), ("", nil), ("soon", nil), ("1e5", nil), ("nan", nil), ("inf", nil),
            ("0x10", nil),
            ("Sun, 66 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37", nil),
        ] as [(String, Int64?)])
    func secondsAndDatesAreRead(text: String, wait: Int64?) {
        #expect(RetryAfter.wait(text, now: 784_111_777_000) == wait, "\(text)")
    }

    @Test(
        arguments: [
            ("1s", 1_000), ("6m0s", 360_000), ("120ms", 120), ("1h2m3.5s", 3_723_500), ("17", 17_000), ("7.66s", 7_660), ("2d", 86_400_000),
            ("", nil), ("s", nil), ("1", 1_000), ("1x", nil), ("1s2", nil), ("..s", nil),
        ] as [(String, Int64?)])
    func durationsAreRead(text: String, wait: Int64?) {
        #expect(RetryAfter.duration(text) == wait, "\(text)")
    }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600_000),
            ("Fri, 31 Dec 2027 23:59:59 GMT", 1_830_297_599_000), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400_000),
        ] as [(String, Int64)])
    func datesAreRead(text: String, milliseconds: Int64) {
        #expect(RetryAfter.httpDate(text) == milliseconds)
    }
}

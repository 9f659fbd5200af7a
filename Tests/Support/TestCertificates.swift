import NIOSSL

/// Certificates for tests, valid for a hundred years: those of a server and of a client, by an issuer that no system trusts.
package enum TestCertificates {
    /// Who issued the others.
    package static let issuer = """
        -----BEGIN CERTIFICATE-----
        MIIBoTCCAUegAwIBAgIUEdut4Kq1KJBQURA+kr34KzWXYyYwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSQWdlbnRRdWV1ZSB0ZXN0IENBMCAXDTI2MTEzMDExNTEwOVoY
        DzIxMjYxMTA2MTE1MTA5WjAdMRswGQYDVQQDDBJBZ2VudFF1ZXVlIHRlc3QgQ0Ew
        WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ79d1XPmAvUFW4fYPaCD7m/NMdLuUC
        4zcImyAqRuygnu40XKBxW7JdcQ/6Arogyc+8RTTLVIC6BSv94kMx/ujco2MwYTAd
        BgNVHQ4EFgQUp7HL2pEWzrd/aoLGezhg3p8Sp8MwHwYDVR0jBBgwFoAUp7HL2pEW
        zrd/aoLGezhg3p8Sp8MwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw
        CgYIKoZIzj0EAwIDSAAwRQIgE4AAxoa0gXKOUmNhyHLkg329zFvSGUAj9KUfhDv9
        K7QCIQDLu4JSEzYQQI3B41dLB0D2cFL2qHtZ/8K2EDC2OhveyA==
        -----END CERTIFICATE-----

        """
    /// For `server.test`, `localhost` and 127.0.0.1.
    package static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBtzCCAV6gAwIBAgIUTJWOBjt3zuyazl2wDaB0DQK0Q/gwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSQWdlbnRRdWV1ZSB0ZXN0IENBMCAXDTI2MTEzMDExNTEwOVoY
        DzIxMjYxMTA2MTE1MTA5WjAWMRQwEgYDVQQDDAtzZXJ2ZXIudGVzdDBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABJFfcu6XwPiI9EDXky+W26Hv/4JSvmVjV56rLMKE
        yjwuqfuoE9sNmsvJLy0+LUqyzmWaux7mS2ceOgew3E/MWZWjgYAwfjAnBgNVHREE
        IDAeggtzZXJ2ZXIudGVzdIIJbG9jYWxob3N0hwR/AAABMBMGA1UdJQQMMAoGCCsG
        AQUFBwMBMB0GA1UdDgQWBBQOy0NL8XeETNsMRRefz+Ypse0C3jAfBgNVHSMEGDAW
        gBSnscvakRbOt39qgsZ7OGDenxKnwzAKBggqhkjOPQQDAgNHADBEAiACfL4Dww0P
        csJorfm/SBqDbimNc6ZLE6xc28cHl5I4fwIgMO4/PiidFMiHHAxNS/bw1/ie0RuV
        7UCGVHXCe6vQWRs=
        -----END CERTIFICATE-----

        """
    package static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgX03F5C6uNZphhdWi
        qewe29RfE9qIDrv98Qk9TdUnOX6hRANCAASRX3Lul8D4iPRA15Mvltuh7/+CUr5l
        Y1eeqyzChMo8Lqn7qBPbDZrLyS8tPi1Kss5lmrse5ktnHjoHsNxPzFmV
        -----END PRIVATE KEY-----

        """
    /// For `client.test`.
    package static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBjTCCATSgAwIBAgIUTJWOBjt3zuyazl2wDaB0DQK0Q/kwCgYIKoZIzj0EAwIw
        HTEbMBkGA1UEAwwSQWdlbnRRdWV1ZSB0ZXN0IENBMCAXDTI2MTEzMDExNTExMFoY
        DzIxMjYxMTA2MTE1MTEwWjAWMRQwEgYDVQQDDAtjbGllbnQudGVzdDBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABNm/I8kI/hJ+X5ItzhoDBe8TozZOnvMyop+KP4zs
        cKiXi8IJaggb7I1kxL3B2F+4TvUcSvUQarqAbHYa2JVc++CjVzBVMBMGA1UdJQQM
        MAoGCCsGAQUFBwMCMB0GA1UdDgQWBBQcxPuCpSlK1+w10kHX2YB6yddVnDAfBgNV
        HSMEGDAWgBSnscvakRbOt39qgsZ7OGDenxKnwzAKBggqhkjOPQQDAgNHADBEAiBU
        RqSExhx0qaXt5L4dTMIhPg7oBD49pWX0VkMDKHOiWgIgPkt02sXyOqVl3q3q/5et
        97RmzjP1xGjovErt6cE5HvI=
        -----END CERTIFICATE-----

        """
    package static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXv8mzMcjBJ3bJjYe
        jsazYLcNdANB+tNWsjkn10CNL3ChRANCAATZvyPJCP4Sfl+SLc4aAwXvE6M2Tp7z
        MqKfij+M7HCol4vCCWoIG+yNZMS9wdhfuE71HEr1EGq6gGx2GtiVXPvg
        -----END PRIVATE KEY-----

        """

    /// How a test's server encrypts.
    package enum Encryption: Sendable {
        case none
        /// It has the certificate ``server``.
        case tls
        /// It also wants a certificate of clients, by the same issuer.
        case mutual

        /// Nil for none.
        func context() throws -> NIOSSLContext? {
            guard self != .none else { return nil }
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(server.utf8)).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(serverKey.utf8), format: .pem)))
            if self == .mutual {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(issuer.utf8)))
                tls.certificateVerification = .noHostnameVerification
            }
            return try NIOSSLContext(configuration: tls)
        }
    }
}

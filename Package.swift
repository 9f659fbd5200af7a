// swift-tools-version: 6.2
import PackageDescription

/// Every target builds in Swift 6 mode, and a warning is an error.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A module of docs/architecture.md. Imports go one way, downwards: a target can import only what it declares here.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A program as a host writes one: it sees what is public, and imports AgentQueue alone.
func example(_ name: String, _ folder: String) -> Target {
    .executableTarget(
        name: name, dependencies: ["AgentQueue"], path: "Examples/\(folder)", packageAccess: false, swiftSettings: strict)
}

func suite(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPCompression = Target.Dependency.product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let hummingbird = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")
let httpPartTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "agent-queue",
    products: [
        .library(name: "AgentQueue", targets: ["AgentQueue", "AgentQueueModel", "AgentQueuePipelines"]),
        .executable(name: "agent-queue", targets: ["agent-queue"]),
        .executable(name: "agent-worker", targets: ["agent-worker"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // What the C library can do and Swift cannot say.
        .target(name: "CAgentQueue", linkerSettings: [.linkedLibrary("sqlite3")]),
        module("AgentQueueModel", [crypto]),
        module("AgentQueueSettings", ["AgentQueueModel", "AgentQueueShipped", yams]),
        .target(
            name: "AgentQueueMigrations", dependencies: [crypto], path: "migrations", resources: [.embedInCode("sqlite")],
            swiftSettings: strict),
        module("AgentQueueStore", ["AgentQueueModel", "AgentQueueMigrations", "CAgentQueue", grdb, sqlite, deque, crypto]),
        module("AgentQueueMemory", ["AgentQueueStore", "AgentQueueModel", "CAgentQueue"]),
        // Wire formats as values: no I/O and no clock.
        module("AgentQueueDialects", ["AgentQueueModel", crypto]),
        module(
            "AgentQueueProviders",
            ["AgentQueueDialects", "AgentQueueModel", httpClient, subprocess, nioCore, nioHTTP1, nioHTTPCompression, nioSSL, nioPosix]),
        module(
            "AgentQueueWorker", ["AgentQueueMemory", "AgentQueueStore", "AgentQueueModel", "CAgentQueue", lifecycle, logging]),
        // The pipelines of config/pipelines and the prices of config/prices.yaml, in the binary.
        .target(
            name: "AgentQueueShipped", path: "config", exclude: ["agent-queue.yaml", "cron", "examples", "systemd"],
            resources: [.embedInCode("pipelines"), .embedInCode("prices.yaml")], swiftSettings: strict),
        module("AgentQueuePipelines", ["AgentQueueModel", "AgentQueueSettings", yams, mustache]),
        module(
            "AgentQueue",
            [
                "AgentQueuePipelines", "AgentQueueShipped", "AgentQueueWorker", "AgentQueueProviders", "AgentQueueDialects",
                "AgentQueueMemory", "AgentQueueStore", "AgentQueueModel", "AgentQueueSettings", crypto, lifecycle, logging, subprocess,
                nioHTTP1,
            ]),
        module(
            "AgentQueueReports",
            [
                "AgentQueue", "AgentQueuePipelines", "AgentQueueProviders", "AgentQueueMemory", "AgentQueueStore", "AgentQueueModel",
                "AgentQueueSettings", logging,
            ]),
        // The only importer of Hummingbird.
        module(
            "AgentQueueGateway",
            [
                "AgentQueueReports", "AgentQueue", "AgentQueueDialects", "AgentQueueWorker", "AgentQueueProviders", "AgentQueueStore",
                "AgentQueueModel", "AgentQueueSettings", hummingbird, hummingbirdHTTP2, httpTypes, httpPartTypes, nioCore, nioHTTP1,
                nioPosix, nioSSL, crypto, lifecycle, logging,
            ]),
        .executableTarget(
            name: "agent-queue",
            dependencies: [
                "AgentQueueGateway", "AgentQueueReports", "AgentQueue", "AgentQueuePipelines", "AgentQueueProviders", "AgentQueueMemory",
                "AgentQueueStore",
                "AgentQueueModel", "AgentQueueSettings", argumentParser, lifecycle, unixSignals, logging,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "agent-worker",
            dependencies: [
                "AgentQueueReports", "AgentQueue", "AgentQueueWorker", "AgentQueueStore", "AgentQueueModel", "AgentQueueSettings",
                argumentParser, lifecycle, unixSignals, logging,
            ],
            swiftSettings: strict),
        example("ask-one", "AskOne"),
        example("thousand-from-file", "ThousandFromFile"),
        example("own-provider", "OwnProvider"),
        .executableTarget(
            name: "aq-bench",
            dependencies: [
                "AgentQueue", "AgentQueuePipelines", "AgentQueueWorker", "AgentQueueMemory", "AgentQueueProviders", "AgentQueueStore",
                "AgentQueueModel", "AgentQueueSettings", "CAgentQueue", argumentParser, logging, nioCore, nioHTTP1, nioPosix,
            ], path: "Benchmarks/aq-bench", swiftSettings: strict),

        // What tests of several suites share.
        .target(
            name: "AgentQueueTestSupport", dependencies: [logging, nioCore, nioHTTP1, nioHTTPCompression, nioSSL, nioPosix],
            path: "Tests/Support",
            swiftSettings: strict),
        // What tests compare vectors by: plain loops, optimised even where the rest is not.
        .target(name: "CAgentQueueReference", path: "Tests/CAgentQueueReference", cSettings: [.unsafeFlags(["-O2"])]),
        // The rules of the house, held against the repository's own files.
        suite("HouseTests", []),
        suite("AgentQueueModelTests", ["AgentQueueModel", "AgentQueueTestSupport"], resources: [.copy("Resources")]),
        suite("AgentQueueSettingsTests", ["AgentQueueSettings", "AgentQueueShipped", "AgentQueueModel"]),
        suite(
            "AgentQueueStoreTests",
            [
                "AgentQueueStore", "AgentQueueMigrations", "AgentQueueMemory", "AgentQueueModel", "CAgentQueue", "AgentQueueTestSupport",
                grdb,
                sqlite,
            ], exclude: ["Resources"]),
        suite(
            "AgentQueueMemoryTests",
            [
                "AgentQueueMemory", "AgentQueueWorker", "AgentQueueStore", "AgentQueueProviders", "AgentQueueModel", "CAgentQueue",
                "CAgentQueueReference", "AgentQueueTestSupport",
            ], resources: [.copy("Resources")]),
        suite(
            "AgentQueueWorkerTests",
            [
                "AgentQueueWorker", "AgentQueueProviders", "AgentQueueStore", "AgentQueueModel", "CAgentQueue", "AgentQueueTestSupport",
                logging,
            ]),
        suite(
            "AgentQueuePipelinesTests",
            ["AgentQueuePipelines", "AgentQueueShipped", "AgentQueueModel", "AgentQueueSettings", "AgentQueueTestSupport"]),
        suite("AgentQueueDialectsTests", ["AgentQueueDialects", "AgentQueueModel", "AgentQueueTestSupport"]),
        suite(
            "AgentQueueGatewayTests",
            [
                "AgentQueueGateway", "AgentQueueDialects", "AgentQueue", "AgentQueueWorker", "AgentQueueProviders", "AgentQueueStore",
                "AgentQueueModel", "AgentQueueSettings", "AgentQueueTestSupport", hummingbird, httpTypes, nioCore, nioHTTP1, nioPosix,
                nioSSL, lifecycle, logging,
            ]),
        suite(
            "AgentQueueProvidersTests", ["AgentQueueProviders", "AgentQueueDialects", "AgentQueueModel", "AgentQueueTestSupport", nioHTTP1]),
        suite(
            "AgentQueueTests",
            [
                "AgentQueue", "AgentQueuePipelines", "AgentQueueMemory", "AgentQueueWorker", "AgentQueueStore", "AgentQueueProviders",
                "AgentQueueModel", "AgentQueueSettings", "AgentQueueTestSupport", logging, crypto,
            ]),
        suite(
            "ReliabilityTests",
            [
                "AgentQueue", "AgentQueuePipelines", "AgentQueueMemory", "AgentQueueStore", "AgentQueueProviders", "AgentQueueModel",
                "AgentQueueSettings", "AgentQueueTestSupport", grdb, sqlite,
            ]),
        suite(
            "AgentQueueReportsTests", ["AgentQueueReports", "AgentQueue", "AgentQueueStore", "AgentQueueModel"]),
        suite(
            "CommandTests",
            [
                "agent-queue", "AgentQueueReports", "AgentQueue", "AgentQueuePipelines", "AgentQueueStore", "AgentQueueSettings",
                "AgentQueueModel", "AgentQueueTestSupport",
            ]),
    ]
)

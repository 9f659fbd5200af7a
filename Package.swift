// swift-tools-version: 6.2
import PackageDescription

/// Every target builds in Swift 6 mode, and a warning is an error.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A room of docs/architecture.md. Imports go one way, downwards: a target can import only what it declares here.
func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Tests may force what they check.
func suite(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
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
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "agent-queue",
    products: [
        .library(name: "AgentQueue", targets: ["AgentQueue", "Pipelines", "JobModel"]),
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
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    ],
    targets: [
        // What the C library can do and Swift cannot say.
        .target(name: "CPlatform", linkerSettings: [.linkedLibrary("sqlite3")]),
        room("JobModel", []),
        room("Settings", ["JobModel", yams]),
        room("ModelCalls", ["JobModel", crypto]),
        room("Resilience", []),
        .target(
            name: "Migrations", dependencies: [crypto], path: "migrations", resources: [.embedInCode("sqlite")],
            swiftSettings: strict),
        room("QueueStore", ["JobModel", "ModelCalls", "Resilience", "Migrations", "CPlatform", grdb, sqlite, deque, crypto]),
        room("ResponseCache", ["QueueStore", "JobModel"]),
        room("VectorMemory", ["QueueStore", "JobModel", "CPlatform", "Settings"]),
        room(
            "ModelProviders",
            [
                "JobModel", "ModelCalls", httpClient, subprocess, nioCore, nioHTTP1, .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        room("Upkeep", ["QueueStore", "JobModel", "CPlatform", lifecycle, logging]),
        room(
            "WorkerPool",
            ["ResponseCache", "VectorMemory", "QueueStore", "ModelCalls", "JobModel", "Resilience", "CPlatform", lifecycle, logging]),
        // The pipelines of config/pipelines, in the binary.
        .target(
            name: "ShippedPipelines", path: "config", exclude: ["agent-queue.yaml", "cron", "examples", "systemd"],
            resources: [.embedInCode("pipelines")], swiftSettings: strict),
        room("Pipelines", ["JobModel", "ModelCalls", "Settings", yams, mustache]),
        room(
            "AgentQueue",
            [
                "Pipelines", "ShippedPipelines", "WorkerPool", "Upkeep", "ModelProviders", "ResponseCache", "VectorMemory", "QueueStore",
                "ModelCalls", "JobModel",
                "Resilience", "Settings", crypto, logging, subprocess, nioHTTP1,
            ]),
        .executableTarget(
            name: "agent-queue",
            dependencies: [
                "AgentQueue", "Pipelines", "ModelProviders", "VectorMemory", "QueueStore", "ModelCalls", "JobModel", "Settings",
                argumentParser,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "agent-worker",
            dependencies: [
                "AgentQueue", "WorkerPool", "Upkeep", "QueueStore", "ModelCalls", "JobModel", "Settings", argumentParser, lifecycle,
                unixSignals,
                logging,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "embedding-example", dependencies: ["AgentQueue", "JobModel"], path: "Examples/Embedding", swiftSettings: strict),
        .executableTarget(
            name: "aq-bench",
            dependencies: [
                "AgentQueue", "Pipelines", "WorkerPool", "Upkeep", "ResponseCache", "VectorMemory", "ModelProviders", "QueueStore",
                "ModelCalls", "JobModel", "Settings", "CPlatform", argumentParser,
                logging, nioCore, nioHTTP1, .product(name: "NIOPosix", package: "swift-nio"),
            ], path: "Benchmarks/aq-bench", swiftSettings: strict),

        suite("JobModelTests", ["JobModel", "ModelCalls", "Resilience", "TestSupport"]),
        suite("JSONSchemaTests", ["ModelCalls", "JobModel"], resources: [.copy("Resources")]),
        suite(
            "QueueStoreTests",
            ["QueueStore", "VectorMemory", "JobModel", "ModelCalls", "Resilience", "CPlatform", "TestSupport", grdb, sqlite]),
        suite("ResponseCacheTests", ["ResponseCache", "QueueStore", "JobModel", "TestSupport"]),
        // What tests compare vectors by: plain loops, optimised even where the rest is not.
        .target(name: "CReference", path: "Tests/CReference", cSettings: [.unsafeFlags(["-O2"])]),
        suite(
            "VectorMemoryTests",
            [
                "VectorMemory", "WorkerPool", "QueueStore", "ModelProviders", "ModelCalls", "JobModel", "CPlatform", "CReference",
                "TestSupport",
            ], resources: [.copy("Resources")]),
        suite(
            "WorkerPoolTests",
            ["WorkerPool", "ModelProviders", "QueueStore", "ModelCalls", "JobModel", "Resilience", "CPlatform", "TestSupport", logging]),
        suite("SettingsTests", ["Settings", "JobModel"]),
        suite("PipelinesTests", ["Pipelines", "ShippedPipelines", "ModelCalls", "JobModel", "Settings", "TestSupport"]),
        // What tests of several suites share.
        .target(
            name: "TestSupport",
            dependencies: [nioCore, nioHTTP1, .product(name: "NIOPosix", package: "swift-nio")],
            path: "Tests/TestSupport", swiftSettings: strict),
        suite("ModelProvidersTests", ["ModelProviders", "ModelCalls", "JobModel", "TestSupport", nioHTTP1]),
        suite(
            "AgentQueueTests",
            [
                "AgentQueue", "Pipelines", "VectorMemory", "Upkeep", "QueueStore", "ModelCalls", "JobModel", "Settings", "TestSupport",
                logging, crypto,
            ]),
        suite("IntakeTests", ["AgentQueue", "Pipelines", "QueueStore", "JobModel", "ModelCalls", "Settings"]),
        suite(
            "ReliabilityTests",
            [
                "AgentQueue", "Pipelines", "VectorMemory", "QueueStore", "ModelProviders", "ModelCalls", "JobModel", "Settings",
                "TestSupport", grdb, sqlite,
            ]),
        suite("CommandTests", ["agent-queue", "Pipelines", "QueueStore", "JobModel", "TestSupport"]),
    ]
)

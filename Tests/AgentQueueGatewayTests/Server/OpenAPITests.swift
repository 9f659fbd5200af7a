import AgentQueueModel
import HTTPTypes
import Testing

@testable import AgentQueueGateway

/// The description of the routes beside the routes.
@Suite struct OpenAPITests {
    @Test func everyRouteIsDescribedAndNothingElse() async throws {
        try await withGateway { gateway in
            let table = try #require(gateway.service.table)
            let described = try JSONValue.parse(OpenAPI.document)
            var found: Set<String> = []
            for path in described["paths"]?.members ?? [] {
                for operation in path.value.members ?? [] where operation.key != "parameters" {
                    found.insert("\(operation.key.uppercased()) \(path.key)")
                }
            }
            #expect(found == Set(table.routes.map { "\($0.method.rawValue) \($0.path.replacing("...", with: ""))" }))
        }
    }

    @Test func everyReferenceLeadsSomewhere() throws {
        let described = try JSONValue.parse(OpenAPI.document)
        for match in OpenAPI.document.matches(of: /"#\/components\/(\w+)\/(\w+)"/) {
            #expect(described["components"]?[String(match.output.1)]?[String(match.output.2)] != nil, "\(match.output.0)")
        }
    }
}

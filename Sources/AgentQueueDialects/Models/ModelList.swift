import AgentQueueModel

/// A model that a client may name.
package struct ListedModel: Sendable, Equatable {
    package var id: String
    /// When it came to be, in seconds since 1970; 0 if that is not known.
    package var created: Int64
    /// Who serves it: a provider of the configuration.
    package var owner: String
    package var displayName: String?

    package init(id: String, created: Int64, owner: String, displayName: String? = nil) {
        self.id = id
        self.created = created
        self.owner = owner
        self.displayName = displayName
    }

    package func json(_ flavour: APIFlavour) -> JSONValue {
        switch flavour {
        case .openAI: ["id": .string(id), "object": "model", "created": .integer(created), "owned_by": .string(owner)]
        case .anthropic:
            [
                "type": "model", "id": .string(id), "display_name": .string(displayName ?? id),
                "created_at": .string(Self.seconds(created)), "lifecycle": "active",
            ]
        }
    }

    /// Anthropic's times have no fraction.
    private static func seconds(_ time: Int64) -> String { TimeText.format(time * 1_000).replacing(".000Z", with: "Z") }
}

/// Which part of a list of models Anthropic's clients ask for.
package struct ModelPage: Sendable, Equatable {
    package var limit: Int
    /// The models after this one.
    package var after: String?
    /// The models before this one, nearest last.
    package var before: String?

    package init(limit: Int = 20, after: String? = nil, before: String? = nil) {
        self.limit = limit
        self.after = after
        self.before = before
    }

    /// Reads the query's members.
    /// - Throws: `RequestError` if the limit is not one.
    package init(query: [(name: String, value: String)]) throws(RequestError) {
        self.init()
        for (name, value) in query {
            switch name {
            case "limit":
                guard let number = Int(value), (1...1_000).contains(number) else {
                    throw RequestError("'limit' must be a whole number from 1 to 1000.", param: "limit")
                }
                limit = number
            case "after_id": after = value
            case "before_id": before = value
            default: break
            }
        }
    }
}

package enum ModelList {
    /// OpenAI's list, which has no pages.
    package static func openAI(_ models: [ListedModel]) -> JSONValue {
        ["object": "list", "data": .array(models.map { $0.json(.openAI) })]
    }

    /// A page of Anthropic's list.
    /// - Throws: `RequestError` (404) if the page's mark is no model of the list.
    package static func anthropic(_ models: [ListedModel], page: ModelPage) throws(RequestError) -> JSONValue {
        let shown: ArraySlice<ListedModel>
        let hasMore: Bool
        if let before = page.before {
            let end = try index(of: before, in: models)
            shown = models[..<end].suffix(page.limit)
            hasMore = shown.startIndex > 0
        } else {
            let start = try page.after.map { mark throws(RequestError) in try index(of: mark, in: models) + 1 } ?? 0
            shown = models[start...].prefix(page.limit)
            hasMore = shown.endIndex < models.count
        }
        func id(_ model: ListedModel?) -> JSONValue { model.map { .string($0.id) } ?? .null }
        return [
            "data": .array(shown.map { $0.json(.anthropic) }), "has_more": .bool(hasMore), "first_id": id(shown.first),
            "last_id": id(shown.last),
        ]
    }

    private static func index(of id: String, in models: [ListedModel]) throws(RequestError) -> Int {
        guard let index = models.firstIndex(where: { $0.id.isExactly(id) }) else {
            throw RequestError(
                "There is no model '\(id)' to go on from: list the models from the beginning.", status: 404, code: "not_found")
        }
        return index
    }
}

import AgentQueueModel

extension WriteTransaction {
    /// Keeps a request as its client wrote it, beside the canonical one.
    func keep(_ native: NativeRequest, of job: Int64) throws(SQLFailure) {
        try statement("UPDATE requests SET native = ?, native_form = ? WHERE job_id = ?")
            .bind(native.body).bind(native.storedForm).bind(job).run()
    }

    /// The request of a job as its client wrote it; nil if it is not kept, or cannot be read: the canonical one says the same.
    func native(of job: Int64) throws(SQLFailure) -> NativeRequest? {
        try statement("SELECT native, native_form FROM requests WHERE job_id = ?").bind(job).first { row in
            NativeRequest(body: row.text(0), storedForm: row.text(1))
        } ?? nil
    }
}

extension GatewayStore {
    /// The request of a job as its client wrote it; nil if the job did not come through the gateway.
    package func native(of job: Int64) throws -> NativeRequest? {
        try read { reader in
            try reader.statement("SELECT native, native_form FROM requests WHERE job_id = ? AND native IS NOT NULL").bind(job).first {
                NativeRequest(body: $0.text(0), storedForm: $0.text(1))
            } ?? nil
        }
    }
}

extension NativeRequest {
    /// What is stored beside the body: JSON.
    fileprivate var storedForm: String {
        var members: [JSONValue.Member] = [.init("form", .string(form.rawValue))]
        if let version { members.append(.init("version", .string(version))) }
        if !betas.isEmpty { members.append(.init("betas", .array(betas.map { .string($0) }))) }
        if isRequired { members.append(.init("required", .bool(true))) }
        return JSONValue.object(members).text
    }

    /// Reads what is stored; nil if it is damaged.
    init?(body: String, storedForm: String) {
        // What cannot be read is as good as missing: see `native(of:)`.
        guard let stored = try? JSONValue.parse(storedForm), let form = stored["form"]?.string.flatMap(RequestForm.init(rawValue:)) else {
            return nil
        }
        self.init(
            form: form, body: body, version: stored["version"]?.string, betas: stored["betas"]?.array?.compactMap(\.string) ?? [],
            isRequired: stored["required"]?.bool ?? false)
    }
}

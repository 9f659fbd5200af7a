import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import Crypto

/// Makes jobs of requests.
struct CallJobs: Sendable {
    /// The providers and limits that jobs are validated against.
    let context: IntakeContext

    /// The jobs of a request, one for each sample.
    /// - Parameter isFollowed: whether other processes read the answer's pieces from the file.
    /// - Throws: `RequestError`.
    func jobs(
        of request: ClientRequest, for target: Target, _ policy: CallPolicy, _ headers: CallHeaders, isFollowed: Bool
    ) throws(RequestError) -> [NewJob] {
        guard let identity = context.identity(target.provider) else {
            throw RequestError("the provider \(target.provider) is not configured", status: 404, code: "model_not_found", param: "model")
        }
        if let reason = context.unlimitedCost(target, nil) { throw RequestError(reason, param: "model") }
        let first = headers.sample ?? 0
        guard first + request.n - 1 <= JobLimits.samples.upperBound else {
            throw RequestError("n is too large for the sample \(first)", param: "n")
        }
        var jobs: [NewJob] = []
        for sample in first..<(first + request.n) {
            jobs.append(try job(of: request, for: target, identity, sample: sample, policy))
        }
        let tags = Self.tags(of: request, headers)
        for index in jobs.indices {
            jobs[index].tags = tags
            jobs[index].isStreamed = isFollowed
        }
        return jobs
    }

    private func job(
        of request: ClientRequest, for target: Target, _ identity: String, sample: Int, _ policy: CallPolicy
    ) throws(RequestError) -> NewJob {
        let kind: JobKind = request.form == .embeddings ? .embed : .generate
        let asked = ModelRequest(kind: kind, target: target, body: request.canonical.with(sample: sample))
        var (body, digest) = asked.sealed(identity: identity)
        if !request.isCanonical { digest = try nativeDigest(of: request, kind, target, identity, sample: sample) }
        if policy.cacheScope == .own { digest = Self.ownDigest(digest, of: policy.key) }
        var job = NewJob(kind: kind, target: target, body: body, digest: digest, queue: policy.queue)
        job.priority = policy.priority
        job.native = request.native
        job.metadata = request.metadata
        if context.usesCache {
            job.useCache = policy.usesCache
            job.cacheTimeToLive = policy.cacheTimeToLive ?? (policy.renewsCache ? context.cacheTimeToLive(target) : nil)
            job.maxCacheAge = policy.maxCacheAge
        } else {
            job.useCache = false
        }
        if kind == .embed { job.inputs = request.canonical["input"]?.array?.count ?? 1 }
        return job
    }

    /// The digest of a request that the canonical form does not give back: of its body as it came, its form, its version and its betas.
    private func nativeDigest(
        of request: ClientRequest, _ kind: JobKind, _ target: Target, _ identity: String, sample: Int
    ) throws(RequestError) -> [UInt8] {
        let native = request.native
        let body: JSONValue
        do { body = try JSONValue.parse(native.body) } catch { throw RequestError("the request is not valid JSON") }
        let said = ModelRequest(kind: kind, target: target, body: body.without("model").without("background").with(sample: sample))
        var hash = SHA256()
        for part in ["agent-queue/native/1", native.form.rawValue, native.version ?? "", native.betas.joined(separator: ",")] {
            hash.update(data: Array(part.utf8) + [0])
        }
        hash.update(data: said.digest(identity: identity))
        return Array(hash.finalize())
    }

    /// The digest of a request whose cached answer serves calls of one key only.
    private static func ownDigest(_ digest: [UInt8], of key: Int64) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("agent-queue/own/1".utf8) + [0] + Array("\(key)".utf8) + [0])
        hash.update(data: digest)
        return Array(hash.finalize())
    }

    /// The header's tags, then the metadata as `name:value`, as far as they fit.
    private static func tags(of request: ClientRequest, _ headers: CallHeaders) -> [String] {
        var tags = headers.tags
        for member in request.metadata?.members ?? [] {
            guard let value = member.value.string else { continue }
            let tag = "\(member.key):\(value)"
            guard tags.count < JobLimits.maxTags, tag.utf8.count <= JobLimits.maxNameBytes, !tags.contains(tag) else { continue }
            guard !tag.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { continue }
            tags.append(tag)
        }
        return tags
    }
}

extension JSONValue {
    fileprivate func with(sample: Int) -> JSONValue {
        guard sample > 0, case .object(let members) = without("sample") else { return self }
        return .object(members + [.init("sample", .integer(Int64(sample)))])
    }

    fileprivate func without(_ name: String) -> JSONValue {
        guard let members, members.contains(where: { $0.key == name }) else { return self }
        return .object(members.filter { $0.key != name })
    }
}

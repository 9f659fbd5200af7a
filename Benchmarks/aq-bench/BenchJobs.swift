import JobModel
import ModelCalls

/// Jobs like those of the yardstick.
enum BenchJobs {
    static let target = Target(provider: "instant", model: "echo")

    /// A job with a prompt of about 200 bytes, each its own request, through the same canonical form and digest as a user's.
    static func make(_ number: Int) -> NewJob {
        let prompt = String(number) + String(repeating: "x", count: 190)
        let request = ModelRequest(
            kind: .generate, target: target, body: ["messages": [["role": "user", "content": .string(prompt)]]])
        let (body, digest) = request.sealed(identity: "instant")
        return NewJob(kind: .generate, target: target, body: body, digest: digest)
    }
}

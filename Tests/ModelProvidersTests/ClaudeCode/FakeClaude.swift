/// Shell scripts that take the program's place, for what the real one does not do on demand.
enum FakeClaude {
    /// A script that says its version, and then does this with its jobs.
    static func script(version: String = "2.1.300 (Claude Code)", _ body: String) -> String {
        """
        #!/bin/sh
        if [ "$1" = --version ]; then echo "\(version)"; exit 0; fi
        \(body)
        """
    }

    /// Prints the lines of a good answer, which names what is in a shell variable.
    static func answer(_ variable: String = "1") -> String {
        let result =
            #"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":1,\"result\":\"answer \#(variable)\","#
            + #"\"stop_reason\":\"end_turn\",\"total_cost_usd\":0.5}"#
        return #"echo "{\"type\":\"system\",\"subtype\":\"init\"}"; echo "\#(result)""#
    }

    /// Prints what follows a good `/clear`.
    static let cleared =
        #"echo '{"type":"conversation_reset"}'; "#
        + #"echo '{"type":"result","subtype":"success","is_error":false,"num_turns":0,"total_cost_usd":0}'"#
}

import Yams

/// What the configuration says of pipelines: roles, and modes with roles of their own.
extension ConfigurationFile {
    mutating func applyRoles(_ node: Node, at key: String, to roles: inout [String: RoleSettings]) {
        forEachName(in: node, key: key) { file, name, label, pairs in
            guard file.checkName(name, of: "a role", line: label.line) else { return }
            var role = roles[name] ?? RoleSettings()
            file.apply(pairs, in: "", of: RoleSettings.keys, at: label.key + ".", to: &role)
            roles[name] = role
        }
    }

    mutating func applyModes(_ node: Node, to modes: inout [String: ModeSettings]) {
        forEachName(in: node, key: "modes") { file, name, label, pairs in
            guard file.checkName(name, of: "a mode", line: label.line) else { return }
            var mode = ModeSettings()
            for (key, value) in pairs {
                if key.scalar?.string == "roles" {
                    file.applyRoles(value, at: "\(label.key).roles", to: &mode.roles)
                } else {
                    file.apply(key, value, in: "", of: ModeSettings.keys, at: label.key + ".", alsoKnown: ["roles"], to: &mode)
                }
            }
            if !pairs.contains(where: { $0.key.scalar?.string == "pipeline" }) {
                file.report("is missing", key: "\(label.key).pipeline", line: label.line)
            }
            modes[name] = mode
        }
    }

    private mutating func checkName(_ name: String, of subject: String, line: Int?) -> Bool {
        if TargetName.isProviderName(name) { return true }
        report("\(InvalidText.quoted(name)) is not \(subject)'s name (letters, digits, _ and -)", line: line)
        return false
    }
}

/// A piece of an answer, as it arrives.
///
/// The canonical events of an answer give its text, its reasoning and its tool calls in any form. If ``begin(model:id:native:)`` names a
/// form, each of the provider's own events comes as well, before the canonical events that it stands for. A viewer of that form reads the
/// native events only, any other viewer the canonical ones only.
package enum ReplyEvent: Sendable, Equatable {
    /// The answer begins. A later attempt begins again.
    /// - Parameters:
    ///   - model: the model that answers, as the provider names it.
    ///   - id: the provider's id for the answer.
    ///   - native: the form of the native events that follow; nil if there are none.
    case begin(model: String?, id: String?, native: RequestForm?)
    case text(String)
    case reasoning(String)
    /// The signature of the reasoning block that ends here.
    case signature(String)
    /// A tool call begins; its arguments follow.
    /// - Parameter index: its place among the answer's tool calls, from 0.
    case toolCall(index: Int, id: String, name: String)
    /// A piece of the arguments of a tool call, JSON text.
    case arguments(index: Int, String)
    case refusal(String)
    /// The tokens so far; a later count replaces it.
    case usage(Usage)
    /// The answer ends, for this reason.
    case finish(String)
    /// An event of the provider, verbatim.
    /// - Parameters:
    ///   - event: its name; nil if it has none.
    ///   - data: its data, without the field's name.
    case native(event: String?, data: String)
}

extension Sequence where Element == ReplyEvent {
    /// The text in the events.
    package var text: String {
        reduce(into: "") { text, event in
            if case .text(let piece) = event { text += piece }
        }
    }
}

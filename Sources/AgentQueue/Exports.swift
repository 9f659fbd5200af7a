// A program imports AgentQueue and nothing else: the values that a queue takes and returns, and pipelines written in Swift, come with it.
@_exported import AgentQueueModel
@_exported import AgentQueuePipelines

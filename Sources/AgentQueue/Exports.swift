// `import AgentQueue` is all that a program needs: the values that a queue takes and gives, and pipelines written in Swift, come with it.
@_exported import AgentQueueModel
@_exported import AgentQueuePipelines

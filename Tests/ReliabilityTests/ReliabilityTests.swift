import Testing

/// What the queue must withstand: real processes, real signals, real files. One after another, for each wants the machine.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ReliabilityTests {}

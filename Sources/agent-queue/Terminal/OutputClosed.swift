/// Nobody reads standard output any more (`| head`): the command ends, quietly and with success.
struct OutputClosed: Error {}

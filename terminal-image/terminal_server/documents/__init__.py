"""Makes text of documents, and compares files: in a process of its own, with limits of its own.

A document may be made to take all time and memory there is, and the libraries that read them have had faults
that let it. So none of this is ever imported by the server. It starts `python -m terminal_server.documents`,
which gets what to do on its standard input, and ends with the answer on its standard output.
"""

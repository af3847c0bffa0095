"""Opening the port."""

import socket

from terminal_server.listening import listen


def test_a_client_that_has_vanished_is_noticed_though_nothing_is_sent_to_it() -> None:
    listener = listen("127.0.0.1", 0)
    assert listener is not None
    with listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
            idle = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            interval = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            count = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
            assert idle + interval * count <= 120


def test_a_connection_sends_the_end_of_an_answer_without_waiting_for_the_client() -> None:
    listener = listen("127.0.0.1", 0)
    assert listener is not None
    with listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0

"""Every tool of the full image, with a small real use of it and what that prints."""

from typing import NamedTuple


class Use(NamedTuple):
    """Commands for bash, run in an empty folder where any failure ends them, and their whole output.

    What is waited for until it answers is looked up first (`hash`): one that is not there is told at once.
    """

    commands: str
    prints: str


CORE = {
    "coreutils": Use(r"printf 'b\na\n' | sort | head -1", "a"),
    "findutils": Use("touch one.txt; find . -name '*.txt' | xargs -n1 basename", "one.txt"),
    "grep": Use(r"printf 'one\ntwo\n' | grep -n two", "2:two"),
    "sed": Use("echo cat | sed s/c/h/", "hat"),
    "gawk": Use("echo 1 2 | gawk '{print $1 + $2}'", "3"),
    "diffutils": Use("echo a >a; echo b >b; diff a b | head -1", "1c1"),
    "patch": Use("echo a >a; echo b >b; { diff -u a b || true; } | patch -s a; cat a", "b"),
    "less": Use("echo hello | less", "hello"),
    "file": Use("""echo '<?xml version="1.0"?><a/>' >a; file -b --mime-type a""", "text/xml"),
    "tree": Use("mkdir -p a/b; tree -i --noreport a | tail -1", "b"),
    "bc": Use("echo '2^64' | bc", "18446744073709551616"),
    "ripgrep": Use("echo a needle >hay; rg --line-number needle .", "./hay:1:a needle"),
    "bash-completion": Use(
        "bash -ic '_comp_load git && complete -p git' 2>/dev/null | grep -c __git_wrap__git_main", "1"
    ),
}
_GREETER = "socat TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr EXEC:'echo hello' & greeter=$!; "
NETWORK = {
    "curl": Use("curl --silent http://127.0.0.1:8000/health", '{"status":"ok"}'),
    "wget": Use("wget --quiet --output-document=- http://127.0.0.1:8000/health", '{"status":"ok"}'),
    "net-tools": Use("netstat -tln | grep -c ':8000 '; ifconfig lo | grep -c 127.0.0.1", "1\n1"),
    "iputils-ping": Use("ping -c 1 -q 127.0.0.1 | grep -o ' 0% packet loss'", " 0% packet loss"),
    "dnsutils": Use(
        "dig +short kubernetes.default.svc.cluster.local | grep -c '^[0-9.]*$';"
        " nslookup kubernetes.default.svc.cluster.local | grep -c ^Name:",
        "1\n1",
    ),
    "netcat": Use(
        "hash nc; nc -l 127.0.0.1 7101 >got &"
        " until echo hello | nc -N 127.0.0.1 7101; do sleep 0.1; done; wait; cat got",
        "hello",
    ),
    "socat": Use(
        "hash socat; "
        + _GREETER.format(port=7102)
        + "until socat -u TCP:127.0.0.1:7102 - 2>/dev/null; do sleep 0.1; done; kill $greeter",
        "hello",
    ),
    "telnet": Use(
        "hash telnet; "
        + _GREETER.format(port=7103)
        + "until sleep 1 | telnet 127.0.0.1 7103 2>/dev/null | grep hello; do :; done; kill $greeter",
        "hello",
    ),
    "openssh-client": Use(
        "ssh-keygen -q -t ed25519 -N '' -f key; ssh-keygen -y -f key | cut -d' ' -f1; ssh -G host | grep ^port",
        "ssh-ed25519\nport 22",
    ),
    "rsync": Use("mkdir a; echo hello >a/f; rsync --archive a/ b; cat b/f", "hello"),
}
DEVELOPMENT = {
    "vim": Use("echo one >f; vim -es -c 's/one/two/' -c wq f; cat f", "two"),
    "nano": Use(
        "hash nano; tmux -L nano new-session -d -x 80 -y 24 'nano f';"
        " until tmux -L nano capture-pane -p | grep -q 'GNU nano'; do sleep 0.1; done;"
        " tmux -L nano send-keys hello C-o Enter C-x; until [ -s f ]; do sleep 0.1; done; cat f",
        "hello",
    ),
    "git": Use(
        "git init --quiet; git config user.name a; git config user.email a@b.c; echo a >f; git add f;"
        " git commit --quiet --message first; git log --format=%s",
        "first",
    ),
    "build-essential": Use(
        "echo '#include <stdio.h>\nint main(void) { puts(\"C\"); }' >c.c; gcc -Wall c.c -o c; ./c;"
        " echo '#include <iostream>\nint main() { std::cout << \"C++\"; }' >d.cc; g++ d.cc -o d; ./d",
        "C\nC++",
    ),
    "make": Use(r"printf 'all:\n\t@echo made\n' >Makefile; make", "made"),
    "cmake": Use(
        "echo 'int main(void) { return 3; }' >a.c; printf 'cmake_minimum_required(VERSION 3.10)\n"
        "project(a C)\nadd_executable(a a.c)\n' >CMakeLists.txt; cmake -B out >log; cmake --build out >log;"
        " out/a || echo $?",
        "3",
    ),
}
LANGUAGES = {
    "python": Use(
        "python -c 'import sys; print(sys.version_info >= (3, 12))'; python3 -m venv v;"
        " v/bin/python -c 'import sys; print(sys.prefix != sys.base_prefix)'",
        "True\nTrue",
    ),
    "perl": Use("perl -e 'print join \",\", map { $_ * 2 } 1..3'", "2,4,6"),
    "ruby": Use("ruby -rjson -e 'puts JSON.generate([1, 2].sum)'", "3"),
    "lua5.4": Use("lua5.4 -e 'print(7 // 2, _VERSION)'", "3\tLua 5.4"),
    "nodejs": Use("node -e 'console.log([1, 2, 3].reduce((a, b) => a + b))'", "6"),
    "npm": Use(
        """echo '{"name": "a-tool", "version": "1.0.0", "bin": {"a-tool": "a.js"}}' >package.json;"""
        " printf '#!/usr/bin/env node\nconsole.log(42)\n' >a.js; npm install --silent --global $(npm pack --silent);"
        " a-tool",
        "42",
    ),
}
DATA = {
    "jq": Use("""echo '{"a": [1, 2]}' | jq --compact-output '.a | add'""", "3"),
    "xmlstarlet": Use("echo '<a><b>5</b></a>' | xmlstarlet sel -t -v /a/b", "5"),
    "sqlite3": Use(
        "sqlite3 a.db 'create table t(n); insert into t values (1), (2); select sum(n) from t'", "3"
    ),
    "ffmpeg": Use(
        "ffmpeg -v error -f lavfi -i testsrc=duration=1:size=64x64:rate=10 -f lavfi -i sine=duration=1 a.mp4;"
        " ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 a.mp4",
        "10",
    ),
    "pandoc": Use("echo '*hello*' | pandoc --output a.docx; pandoc a.docx --to markdown", "*hello*"),
}
COMPRESSION = {
    "zip": Use("echo hello >f; zip -q a.zip f; rm f; python3 -m zipfile -e a.zip .; cat f", "hello"),
    "unzip": Use("echo hello >f; python3 -m zipfile -c a.zip f; rm f; unzip -q a.zip; cat f", "hello"),
    "tar": Use("echo hello >f; tar -cf a.tar f; rm f; tar -xf a.tar; cat f", "hello"),
    "gzip": Use("echo hello >f; tar -czf a.tgz f; rm f; tar -xf a.tgz; gzip f; zcat f", "hello"),
    "bzip2": Use("echo hello >f; tar -cjf a.tbz f; rm f; tar -xf a.tbz; bzip2 f; bzcat f.bz2", "hello"),
    "xz": Use("echo hello >f; tar -cJf a.txz f; rm f; tar -xf a.txz; xz f; xzcat f.xz", "hello"),
    "zstd": Use(
        "echo hello >f; tar --zstd -cf a.tzst f; rm f; tar -xf a.tzst; zstd -q f; zstdcat f.zst", "hello"
    ),
    "p7zip": Use("echo hello >f; 7z a a.7z f >log; rm f; 7z x a.7z >log; cat f", "hello"),
}
SYSTEM = {
    "procps": Use("ps -o comm= -p $$; pgrep -f terminal-server | grep -c '^1$'", "bash\n1"),
    "htop": Use(
        "hash htop; tmux -L htop new-session -d -x 80 -y 24 htop;"
        " until tmux -L htop capture-pane -p | grep -o -m1 Tasks:; do sleep 0.1; done; tmux -L htop kill-server",
        "Tasks:",
    ),
    "lsof": Use("exec 5>held; lsof -a -p $$ -d 5 -F n | grep -o held", "held"),
    "strace": Use("strace -o log -e trace=execve true; grep -c ^execve log", "1"),
    "sysstat": Use("sar 1 1 | grep -c ^Average; iostat | grep -c ^avg-cpu", "1\n1"),
    "tmux": Use(
        "tmux -L test new-session -d; tmux -L test send-keys 'type ifconfig >made 2>&1' Enter;"
        " until [ -s made ]; do sleep 0.1; done; cat made; tmux -L test kill-server",
        "ifconfig is /usr/sbin/ifconfig",
    ),
    "screen": Use(
        "screen -dmS test sh -c 'echo $STY >name; sleep 60'; until [ -s name ]; do sleep 0.1; done;"
        " screen -ls | grep -c test; screen -S test -X quit; cut -d. -f2 name",
        "1\ntest",
    ),
    "sudo": Use("sudo -n true 2>&1 | grep -o 'no new privileges'", "no new privileges"),
}
PYTHON = {
    "numpy": Use("import numpy; print(numpy.arange(4).sum())", "6"),
    "pandas": Use("import pandas; print(pandas.DataFrame({'a': [1, 2]}).a.mean())", "1.5"),
    "scipy": Use("import scipy.linalg; print(round(scipy.linalg.det([[1, 2], [3, 4]])))", "-2"),
    "scikit-learn": Use(
        "from sklearn.linear_model import LinearRegression as L; "
        "print(round(L().fit([[0], [1]], [0, 2]).predict([[2]])[0]))",
        "4",
    ),
    "matplotlib": Use(
        "import matplotlib.pyplot as p; p.plot([1, 2]); p.savefig('a.png'); print(open('a.png', 'rb').read()[1:4])",
        "b'PNG'",
    ),
    "seaborn": Use(
        "import seaborn; seaborn.lineplot(x=[1, 2], y=[1, 2]).figure.savefig('a.svg'); "
        "print('</svg>' in open('a.svg').read())",
        "True",
    ),
    "plotly": Use(
        "import plotly.express as p; p.line(x=[1]).write_html('a.html'); print('Plotly' in open('a.html').read())",
        "True",
    ),
    "requests": Use(
        "import requests; print(requests.get('http://127.0.0.1:8000/health').json()['status'])", "ok"
    ),
    "beautifulsoup4": Use(
        "from bs4 import BeautifulSoup as B; print(B('<p><b>hello', 'lxml').b.text)", "hello"
    ),
    "lxml": Use("from lxml import etree; print(etree.fromstring('<a><b/></a>')[0].tag)", "b"),
    "sqlalchemy": Use(
        "import sqlalchemy as s; print(s.create_engine('sqlite://').connect().execute(s.text('select 3')).scalar())",
        "3",
    ),
    "psycopg2": Use(
        "import psycopg2, psycopg2.extensions as e; print(psycopg2.__libpq_version__ > 0, e.adapt(3).getquoted())",
        "True b'3'",
    ),
    "pyyaml": Use("import yaml; print(yaml.safe_load('a: [1, 2]')['a'][1])", "2"),
    "toml": Use("import toml; print(toml.loads('a = 1')['a'])", "1"),
    "jsonlines": Use("import jsonlines; print(jsonlines.Reader(['[3]']).read()[0])", "3"),
    "tqdm": Use("from tqdm import tqdm; print(sum(tqdm(range(4))))", "6"),
    "rich": Use("import rich; rich.print('[bold]hello[/bold]')", "hello"),
}
_NOTEBOOK = (
    '{"cells": [{"cell_type": "code", "id": "a", "source": "6 * 7", "metadata": {}, "outputs": [],'
    ' "execution_count": null}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
)
JUPYTER = {
    "jupyter": Use(
        f"echo '{_NOTEBOOK}' >a.ipynb; jupyter nbconvert --to markdown --execute a.ipynb; grep -w 42 a.md",
        "    42",
    ),
    "ipython": Use("ipython -c 'print(6 * 7)'", "42"),
}

TOOLS = {
    **CORE,
    **NETWORK,
    **DEVELOPMENT,
    **LANGUAGES,
    **DATA,
    **COMPRESSION,
    **SYSTEM,
    **{name: Use(f'python3 -c "{use.commands}"', use.prints) for name, use in PYTHON.items()},
    **JUPYTER,
}

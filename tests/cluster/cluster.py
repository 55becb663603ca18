"""A Kubernetes with two nodes, its DNS, its network and what stands before and around the chart.

Everything runs in namespaces of its own (processes, mounts, network), whose first process holds it
together: when that one ends, the kernel ends all the others, and takes mounts and networks along.
Only cgroups and a folder in the temporary directory are left to be removed then.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[2]
HERE = pathlib.Path(__file__).parent
TOOLS = ROOT / "target/cluster"
IMAGES = TOOLS / "images"
HELM_AND_KUBECTL = ROOT / "target/tools/helm-4"

NODES = ("node-1", "node-2")
# Where a pod may have 1,024 descriptors.
FEW_DESCRIPTORS = "node-2"
# Both nodes have one address, and ports of their own, since they share one network.
ADDRESS = "10.89.0.1"
PODS = "10.244.0.0/16"
SERVICES = "10.96.0.0/16"
# Where everything-on-values.yaml has the proxy on the way to ChatHub.
PROXY = "192.0.2.10"
CHATHUB = "chathub.example.com"
# A ChatHub that a test starts and ends itself, at OUTAGE_PORT of 127.0.0.1.
OUTAGE = "outage.example.com"
OUTAGE_PORT = 9001
# The OpenID provider of docs/proxies, which a test plays at a port of 127.0.0.1.
PROVIDER = "login.example.test"
PROVIDER_PORT = 9002
# What the ci/ files have in their Secrets.
CHATHUB_LOGIN = ("acme", "canary-password", "canary-profile-key")
SIMULATOR = "http://127.0.0.1:9000"
# Images from elsewhere that the chart and its ci/ files name, and what is here in their place.
STAND_INS = {
    "docker.io/curlimages/curl:8.11.1": "localhost/tools:1",
    "registry.example.com/curl:8": "localhost/tools:1",
    "registry.example.com/certificates:1": "localhost/tools:1",
    "registry.example.com/oauth2-proxy:v7": "localhost/oauth2-proxy:1",
}

# Seconds. Long, because other things may keep the machine busy. None of it is about speed.
PATIENCE = 600

# The private folders are those that containerd and the kubelet use by fixed names. Without the
# signal, processes whose parent has ended would stay for ever when they end.
FIRST_PROCESS = """set -eu
mount -t tmpfs -o mode=755 tmpfs /run
for folder in /var/log /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mkdir -p /run/netns /run/lock
printf '127.0.0.1 localhost\n{address} {chathub}\n' >/run/hosts
mount --bind /run/hosts /etc/hosts
ip link set lo up
ip link add node type veth peer name outside
ip address add {address}/24 dev node
ip address add {proxy}/32 dev node
ip link set node up
ip link set outside up
ip route add default dev node
for switch in ipv4/ip_forward bridge/bridge-nf-call-iptables; do echo 1 >/proc/sys/net/$switch; done
trap '' CHLD
echo ready
exec sleep infinity
"""


def run(*command, check=True, **options):
    options = {"capture_output": True} | options
    return subprocess.run([str(part) for part in command], text=True, check=check, **options)


def until(what, check, patience=PATIENCE):
    """Waits for something to be so, and returns it."""
    deadline = time.monotonic() + patience
    while True:
        with contextlib.suppress(subprocess.CalledProcessError, OSError, AssertionError):
            found = check()
            if found:
                return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not so after {patience} s")
        time.sleep(0.2)


def controllers():
    """The roots of the cgroup hierarchies: one for each controller, or one for all."""
    root = pathlib.Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        return [root]
    return [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]


class Cluster:
    """Starts it, and ends it without a trace."""

    def __init__(self):
        self.id = f"open-chat-{secrets.token_hex(4)}"
        self.folder = pathlib.Path(tempfile.gettempdir()) / self.id
        self.logs = self.folder / "logs"
        self.token = secrets.token_hex(16)
        self.environment = {
            "CLUSTER": str(self.folder),
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "PATH": f"{TOOLS}/bin:{HELM_AND_KUBECTL}/kubectl:{os.environ['PATH']}:/usr/sbin:/sbin",
            # helm and kubectl keep what they have learned of a cluster.
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": f"{HERE}:{ROOT}/tests/chart",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.init = None
        self.unshare = None
        self.namespaces = {}
        self.programs = {}

    def __enter__(self):
        (self.folder / "home").mkdir(parents=True)
        self.logs.mkdir()
        try:
            self.start()
        except BaseException:
            self.show_logs()
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    # Processes

    def prefix(self):
        """What makes a command run inside."""
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        inside = ["nsenter", f"--target={self.init}", "--pid", "--mount", "--net", "--ipc", "--"]
        return [*inside, "env", f"--chdir={ROOT}", *variables]

    def run(self, *command, **options):
        return run(*self.prefix(), *command, **options)

    def spawn(self, name, *command, variables=()):
        """Starts what lasts as long as the cluster; its output is a file in the logs."""
        with (self.logs / f"{name}.log").open("w") as log:
            self.programs[name] = subprocess.Popen(
                [str(part) for part in (*self.prefix(), *variables, *command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kubectl(self, *arguments, **options):
        return self.run("kubectl", *arguments, **options).stdout

    def wait_for(self, condition, *what):
        def is_so():
            ended = [name for name, program in self.programs.items() if program.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended} ended at the start")
            return self.kubectl("wait", f"--for=condition={condition}", *what, "--timeout=60s")

        return until(f"{what} {condition}", is_so)

    # The start

    def start(self):
        self.open_namespaces()
        self.make_keys()
        self.make_cgroups()
        self.start_control_plane()
        for node in NODES:
            self.start_containerd(node)
        until("the API server is ready", lambda: "ok" in self.kubectl("get", "--raw", "/readyz"))
        for number, node in enumerate(NODES):
            self.start_kubelet(number, node)
        self.start_surroundings()
        self.apply_surroundings()
        self.load_images()
        self.wait_for("Ready", "nodes", *NODES)
        # It wants to see its node at the start.
        self.start_network_policies()
        self.wait_for("Available", "apiservice/v1beta1.metrics.k8s.io")
        self.wait_for("Programmed", "--namespace=gateways", "gateway/public")

    def open_namespaces(self):
        # Should this process be killed, so is all the rest.
        first = subprocess.Popen(
            [
                "setpriv", "--pdeathsig=KILL",
                "unshare", "--fork", "--kill-child=KILL", "--pid", "--mount-proc", "--mount", "--propagation=private",
                "--net", "--ipc",
                "sh", "-c", FIRST_PROCESS.format(address=ADDRESS, chathub=CHATHUB, proxy=PROXY),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for the tests, which end first.
            start_new_session=True,
        )  # fmt: skip
        self.unshare = first
        if first.stdout.readline() != "ready\n":
            raise RuntimeError("the namespaces cannot be made: what `unshare`, `mount` and `ip` say stands above")
        children = pathlib.Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text()
        self.init = int(children.split()[0])
        kinds = ("pid", "mnt", "net", "ipc")
        folder = pathlib.Path(f"/proc/{self.init}/ns")
        self.namespaces = {kind: (folder / kind).readlink() for kind in kinds}

    def make_keys(self):
        """An authority, one certificate for all servers, and those that the API server shows."""

        def openssl(*arguments):
            run("openssl", *arguments, cwd=self.folder)

        # The usual configuration makes each of them an authority.
        (self.folder / "openssl.cnf").write_text("[req]\ndistinguished_name = name\n[name]\n")
        new = ("req", "-x509", "-config", "openssl.cnf", "-newkey", "rsa:2048", "-nodes", "-days", "30")
        authority = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign")
        openssl(*new, *authority, "-subj", "/CN=cluster", "-keyout", "ca.key", "-out", "ca.crt")
        names = f"DNS:kubernetes.default.svc,DNS:localhost,DNS:*.example.com,DNS:{PROVIDER}"
        names += f",IP:127.0.0.1,IP:10.96.0.1,IP:{ADDRESS}"
        for name, subject in {
            "server": "/CN=server",
            "kubelet-client": "/O=system:masters/CN=kubelet-client",
            "front-proxy": "/CN=front-proxy",
        }.items():
            ca = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE")
            ca += ("-addext", f"subjectAltName={names}")
            openssl(*new, "-subj", subject, *ca, "-keyout", f"{name}.key", "-out", f"{name}.crt")
        openssl("genrsa", "-out", "accounts.key", "2048")
        (self.folder / "tokens.csv").write_text(f"{self.token},admin,admin,system:masters\n")
        cluster = {"server": f"https://{ADDRESS}:6443", "certificate-authority": str(self.folder / "ca.crt")}
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "admin"}}],
            "current-context": "cluster",
        }
        (self.folder / "kubeconfig").write_text(json.dumps(kubeconfig))
        (self.folder / "kubeconfig").chmod(0o600)

    def make_cgroups(self):
        for root in controllers():
            for node in NODES:
                path = root / self.id / node
                path.mkdir(parents=True)
                for folder in (path.parent, path):
                    self.hand_down(folder)

    @staticmethod
    def hand_down(folder):
        """A new cgroup may have no processor and no controller until its parent hands them down."""
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (folder / name).exists() and not (folder / "cgroup.controllers").exists():
                (folder / name).write_text((folder.parent / name).read_text())
        switch = folder.parent / "cgroup.subtree_control"
        if switch.exists() and (folder.parent / "cgroup.controllers").exists():
            for name in (folder.parent / "cgroup.controllers").read_text().split():
                switch.write_text(f"+{name}")

    def kubernetes(self, program, *flags):
        self.spawn(program, "kubernetes", program, *flags)

    def start_control_plane(self):
        pki = self.folder
        self.spawn("etcd", "etcd", "--data-dir=/run/etcd")
        self.kubernetes(
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--feature-gates=SizeBasedListCostEstimate=false", f"--advertise-address={ADDRESS}",
            f"--tls-cert-file={pki}/server.crt", f"--tls-private-key-file={pki}/server.key",
            f"--client-ca-file={pki}/ca.crt", f"--token-auth-file={pki}/tokens.csv", "--authorization-mode=RBAC",
            f"--service-account-key-file={pki}/accounts.key", f"--service-account-signing-key-file={pki}/accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-cluster-ip-range={SERVICES}",
            f"--kubelet-client-certificate={pki}/kubelet-client.crt", f"--kubelet-client-key={pki}/kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP", "--enable-aggregator-routing",
            f"--requestheader-client-ca-file={pki}/ca.crt", "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki}/front-proxy.crt", f"--proxy-client-key-file={pki}/front-proxy.key",
        )  # fmt: skip
        kubeconfig = f"--kubeconfig={pki}/kubeconfig"
        self.kubernetes(
            "kube-controller-manager", kubeconfig, "--leader-elect=false", f"--root-ca-file={pki}/ca.crt",
            f"--service-account-private-key-file={pki}/accounts.key",
            # A day of scaling in minutes.
            "--horizontal-pod-autoscaler-sync-period=5s", "--horizontal-pod-autoscaler-downscale-stabilization=30s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=20s", "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
        )  # fmt: skip
        self.kubernetes("kube-scheduler", kubeconfig, "--leader-elect=false")
        self.kubernetes(
            "kube-proxy", kubeconfig, "--proxy-mode=iptables", f"--cluster-cidr={PODS}", f"--hostname-override={NODES[0]}",
            # These are the machine's, and not the network namespace's to set.
            "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s",
        )  # fmt: skip

    def start_containerd(self, node):
        network = {
            "cniVersion": "1.0.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "pods",
                    "isGateway": True,
                    "hairpinMode": True,
                    "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        }
        (self.folder / "cni").mkdir(exist_ok=True)
        (self.folder / "cni/10-pods.conflist").write_text(json.dumps(network))
        (self.folder / f"containerd-{node}.toml").write_text(f"""version = 2
root = "/run/{node}/containerd"
state = "/run/{node}/state"
[grpc]
address = "/run/{node}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "/run/{node}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{self.folder}/cni"
""")
        # As systemd would start containerd 2: its pods get 1,024 descriptors, too.
        limit = ("prlimit", "--nofile=1024:1024") if node == FEW_DESCRIPTORS else ()
        self.spawn(f"containerd-{node}", *limit, "containerd", f"--config={self.folder}/containerd-{node}.toml")

    def start_kubelet(self, number, node):
        (self.folder / "resolv.conf").touch()
        settings = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "port": 10250 + 10 * number,
            "healthzPort": 10248 + 10 * number,
            "authentication": {"x509": {"clientCAFile": f"{self.folder}/ca.crt"}},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.id}/{node}",
            "enforceNodeAllocatable": [],
            "clusterDNS": [ADDRESS],
            "clusterDomain": "cluster.local",
            "containerRuntimeEndpoint": f"unix:///run/{node}/containerd.sock",
            "volumePluginDir": f"/run/{node}/volume-plugins",
            "podLogsDir": f"/var/log/pods-{node}",
            "resolvConf": f"{self.folder}/resolv.conf",
            "failSwapOn": False,
            "evictionHard": {"memory.available": "100Mi"},
            "imageGCHighThresholdPercent": 100,
            # A container may lack the right to set some limits of its processes.
            "featureGates": {"KubeletInUserNamespace": True},
        }
        path = self.folder / f"kubelet-{node}.json"
        path.write_text(json.dumps(settings))
        self.spawn(
            f"kubelet-{node}", "kubernetes", "kubelet", f"--config={path}", f"--kubeconfig={self.folder}/kubeconfig",
            f"--hostname-override={node}", f"--node-ip={ADDRESS}", f"--root-dir=/run/{node}/kubelet",
            f"--node-labels=topology.kubernetes.io/zone=zone-{number + 1}",
        )  # fmt: skip

    def start_surroundings(self):
        """DNS, Ingress controller and Gateway, metrics, and ChatHub behind TLS."""
        (self.folder / "Corefile").write_text(f""".:53 {{
    bind {ADDRESS}
    errors
    hosts {{
        {ADDRESS} {CHATHUB} {OUTAGE} {PROVIDER}
        fallthrough
    }}
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {self.folder}/kubeconfig
    }}
    template ANY ANY . {{
        rcode NXDOMAIN
    }}
    cache 5
}}
""")
        self.spawn("coredns", "coredns", "-conf", self.folder / "Corefile")

        chathub = {
            "http": {
                "routers": {
                    "chathub": {"rule": f"Host(`{CHATHUB}`)", "service": "chathub", "tls": {}},
                    "outage": {"rule": f"Host(`{OUTAGE}`)", "service": "outage", "tls": {}},
                    "provider": {"rule": f"Host(`{PROVIDER}`)", "service": "provider", "tls": {}},
                },
                "services": {
                    "chathub": {"loadBalancer": {"servers": [{"url": SIMULATOR}]}},
                    "outage": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{OUTAGE_PORT}"}]}},
                    "provider": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{PROVIDER_PORT}"}]}},
                },
            },
            "tls": {"certificates": [{"certFile": f"{self.folder}/server.crt", "keyFile": f"{self.folder}/server.key"}]},
        }
        (self.folder / "traefik.yaml").write_text(json.dumps(chathub))
        self.spawn(
            "traefik", "traefik", f"--providers.file.filename={self.folder}/traefik.yaml",
            "--entrypoints.web.address=:80", "--entrypoints.websecure.address=:443",
            # As Traefik's own chart has it.
            "--entrypoints.websecure.http.tls=true",
            "--providers.kubernetesingress=true", f"--providers.kubernetesingress.ingressendpoint.ip={ADDRESS}",
            "--providers.kubernetescrd=true",
            "--providers.kubernetesgateway=true", f"--providers.kubernetesgateway.statusaddress.ip={ADDRESS}",
            "--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=INFO",
        )  # fmt: skip
        self.spawn(
            "metrics-server", "metrics-server", f"--kubeconfig={self.folder}/kubeconfig",
            f"--authentication-kubeconfig={self.folder}/kubeconfig", f"--authorization-kubeconfig={self.folder}/kubeconfig",
            "--secure-port=4443", "--cert-dir=/run/metrics-server", "--metric-resolution=15s",
            "--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP", "--kubelet-use-node-status-port",
        )  # fmt: skip
        login, password, key = CHATHUB_LOGIN
        self.spawn(
            "chathub", TOOLS / "image/open-chat", "simulate", "--port=9000",
            f"--login={login}", f"--password={password}", f"--profile-key={key}",
        )  # fmt: skip
        (self.folder / "tinyproxy.conf").write_text(f"Listen {PROXY}\nPort 3128\nConnectPort 443\n")
        self.spawn("proxy", "tinyproxy", "-d", "-c", self.folder / "tinyproxy.conf")

    def apply_surroundings(self):
        crds = [f"--filename={path}" for path in sorted((TOOLS / "crds").glob("*.yaml"))]
        self.kubectl("apply", "--server-side", *crds)
        self.wait_for("Established", "crds", "--all")
        self.kubectl("apply", "--server-side", f"--filename={HERE / 'surroundings.yaml'}")

    def load_images(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.load_images_on, NODES))

    def load_images_on(self, node):
        ctr = ("ctr", f"--address=/run/{node}/containerd.sock", "--namespace=k8s.io", "images")
        until("containerd answers", lambda: self.run(*ctr, "list").stdout)
        for path in sorted(IMAGES.glob("*.tar")):
            self.run(*ctr, "import", path)
        for name, here in STAND_INS.items():
            self.run(*ctr, "tag", here, name)

    def start_network_policies(self):
        self.spawn(
            "kube-router", "kube-router", f"--kubeconfig={self.folder}/kubeconfig", f"--hostname-override={NODES[0]}",
            "--run-router=false", "--run-service-proxy=false", "--run-firewall=true",
            # A Service of the type LoadBalancer gets an address, or `helm --wait` would never end.
            "--run-loadbalancer=true", "--loadbalancer-ip-range=10.98.0.0/24",
            f"--service-cluster-ip-range={SERVICES}", "--metrics-port=0", "--health-port=0",
            variables=("POD_NAME=kube-router", "POD_NAMESPACE=kube-system"),
        )  # fmt: skip

    # The end

    def show_logs(self):
        for path in sorted(self.logs.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            print(f"== {path.name}", *lines[-15:], sep="\n", file=sys.stderr)

    def end(self):
        """Ends everything; what is left then is an error."""
        if self.init:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.init, signal.SIGKILL)
        if self.unshare:
            self.unshare.kill()
            self.unshare.wait()
        keep = TOOLS / "logs"
        shutil.rmtree(keep, ignore_errors=True)
        shutil.copytree(self.logs, keep)
        try:
            until("nothing is left of the cluster", self.is_gone, patience=300)
        except TimeoutError:
            raise RuntimeError(f"left of the cluster: {self.left()}") from None

    def is_gone(self):
        for root in controllers():
            for path, _, _ in os.walk(root / self.id, topdown=False):
                with contextlib.suppress(OSError):
                    pathlib.Path(path).rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)
        return not self.left()

    def left(self):
        """What has not gone: processes in its namespaces, cgroups, mounts, files."""
        found = [str(root / self.id) for root in controllers() if (root / self.id).exists()]
        found += [str(self.folder)] if self.folder.exists() else []
        found += [line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if self.id in line]
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                for kind, namespace in self.namespaces.items():
                    if (process / "ns" / kind).readlink() == namespace:
                        found.append(f"process {process.name}: {(process / 'cmdline').read_text()}")
                        break
        return found

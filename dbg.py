from pathlib import Path
import tempfile, time, cProfile, pstats
from tests.dnsops.reconcile.certificate_world import *
from tests.dnsops.reconcile.test_certificate import begun, live
w=World(Path(tempfile.mkdtemp(dir="/dev/shm")))
begun(w)
t=time.process_time();tt=time.time()
p=cProfile.Profile(); p.enable()
for _ in range(100):
    w.certificate(); w.pass_time(hours=1)
print("cert",time.process_time()-t, time.time()-tt); t=time.process_time()
for _ in range(100):
    w.tlsa(); w.pass_time(hours=1)
print("tlsa",time.process_time()-t); t=time.process_time()
for _ in range(100):
    w.dkim(); w.pass_time(hours=1)
print("dkim",time.process_time()-t); t=time.process_time()
p.disable(); pstats.Stats(p).sort_stats("tottime").print_stats(18)

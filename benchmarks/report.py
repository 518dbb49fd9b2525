"""What benchmarks/compare prints and draws."""
import math
import re
import shutil
import statistics
import subprocess

OVERHEAD = ("W3", "W3-adam", "add-forward", "add")  # workloads with hardly any arithmetic


def spread(values):
    """How far the middle half lies apart, as a part of the median; None for fewer than two values."""
    if len(values) < 2:
        return None
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / middle


def microseconds(value):
    return f"{value / 1e6:.2f} s" if value >= 1e6 else f"{value / 1e3:.2f} ms" if value >= 1e3 else f"{value:.2f} us"


def percent(value):
    return "" if value is None else f"({100 * value:.0f}%)"


def header():
    return (f"{'workload':12}{'threads':>7}  {'xgrad':>10} {'':6} {'peer':>10} {'':6} {'ratio':>7}  {'':29} {'grad_error':>10} "
            f"{'page faults':>11}")


def line(row):
    error = "" if row["grad_error"] is None else f"{row['grad_error']:.1e}"
    faults = "" if row["xgrad_page_faults"] is None else f"{row['xgrad_page_faults']:.2f}"
    return (f"{row['workload']:12}{row['threads']:7}  {microseconds(row['xgrad_us']):>10} {percent(row['xgrad_spread']):6} "
            f"{microseconds(row['peer_us']):>10} {percent(row['peer_spread']):6} {row['ratio']:7.3f}  {row['peer']:29} {error:>10} {faults:>11}")


def summary(rows):
    """Geometric means of the ratios, by peer and number of threads."""
    lines = []
    for peer in dict.fromkeys(row["peer"] for row in rows):
        for threads in sorted({row["threads"] for row in rows}):
            some = [row for row in rows if (row["peer"], row["threads"]) == (peer, threads) and row["workload"] not in OVERHEAD]
            if some:
                mean = math.exp(statistics.fmean(math.log(row["ratio"]) for row in some))
                worst = max(some, key=lambda row: row["ratio"])
                lines.append(f"{peer:29} {threads} thread{'s' if threads > 1 else ' '}  geometric mean of {len(some)} ratios {mean:.3f}, "
                             f"the largest {worst['ratio']:.3f} ({worst['workload']})")
    return "\n".join(lines)


def roofline(results):
    """A table from Google Benchmark's JSON of kernels.cpp: figure reached, limit measured in the same run, fraction."""
    figures = {}  # by (group, what, contestant, threads)
    for result in sorted(results["benchmarks"], key=lambda result: result["family_index"]):  # they were run in random order
        if result.get("aggregate_name", "median") == "median":
            group, what, contestant, threads = re.match(r"(\w+)/(.*)/([^/]+)/(\d+)/(?:real|manual)_time", result["name"]).groups()
            figures[group, what, contestant, int(threads)] = result

    def limit(what, threads, non_temporal=False):
        some = [value.get("flops", value.get("bytes")) for (group, name, how, n), value in figures.items()
                if group == "limit" and name == what and n == threads and (how == "non-temporal") == non_temporal]
        return max(some, default=0) / 1e9

    # Results are left in the caches, so the limit is what loops with ordinary stores reach; beside it the fraction of what
    # stores past the caches reach.
    lines = ["", f"{'':45}{'threads':>7} {'reached':>13} {'limit':>13} {'':6} {'fraction':>8} {'of non-temporal':>16}"]
    for (group, what, how, threads), value in figures.items():
        if group == "limit":
            unit, amount = ("GF/s", value["flops"]) if "flops" in value else ("GB/s", value["bytes"])
            lines.append(f"{'limit: ' + what + ', ' + how:45}{threads:7} {'':13} {amount / 1e9:8.1f} {unit}")
    products, totals = [], {}
    for (group, what, contestant, threads), value in figures.items():
        if group == "memory":
            top, reached = limit(contestant, threads), value["bytes"] / 1e9
            past, alone = limit(contestant, threads, non_temporal=True), figures.get(("function", what, "xgrad", 1))
            lines.append(f"{what:45}{threads:7} {reached:8.1f} GB/s {top:8.1f} GB/s {contestant:6} {reached / top:8.2f}"
                         + (f" {reached / past:16.2f}" if past else "")
                         + (f"   arithmetic allows {8e-9 * threads * alone['elements']:.1f} GB/s" if alone else ""))
        elif group == "gemm" and contestant == "xgrad":
            cblas = figures[group, what, "cblas", threads]
            products.append((what, value["flops"] / 1e9, value["fma"] / 1e9, f"   OpenBLAS {cblas['flops'] / cblas['fma']:.2f}"))
            work = 2 * math.prod(map(int, re.search(r"(\d+)x(\d+)x(\d+)", what).groups()))
            flops, seconds, peak_seconds = totals.get(what.split()[0], (0, 0, 0))
            totals[what.split()[0]] = flops + work, seconds + work / value["flops"], peak_seconds + work / value["fma"]
    products += [("all of " + what, flops / seconds / 1e9, flops / peak_seconds / 1e9, "")
                 for what, (flops, seconds, peak_seconds) in totals.items()]
    # The limit is the peak at the processor's clock during products; "alone" is the fraction of the peak without products.
    if products:
        lines += ["", f"{'':45}{'threads':>7} {'reached':>13} {'limit':>13} {'':6} {'fraction':>8} {'alone':>8}"]
    alone = limit("fma", 1)
    for what, reached, peak, peer in products:
        lines.append(f"{'matmul ' + what:45}{1:7} {reached:8.1f} GF/s {peak:8.1f} GF/s {'fma':6} {reached / peak:8.2f} "
                     + (f"{reached / alone:8.2f}" if alone else "") + peer)
    lines += ["", f"{'':45} {'ns an element':>13} {'max ulp':>8}"]
    for (group, what, _, _), value in figures.items():
        if group == "function":
            lines.append(f"{what:45} {1e9 / value['elements']:13.3f} {value['max_ulp']:8.2f}")
    lines += ["", f"{'':45} {'ns':>13}"]
    for (group, what, _, _), value in figures.items():
        if group == "overhead":
            lines.append(f"{what:45} {value['real_time']:13.1f}")
    return "\n".join(lines)


def plot(rows, file):
    """Draws the ratios, a panel for each number of threads; says so where there is no gnuplot."""
    if not shutil.which("gnuplot"):
        return "no picture: install gnuplot (Debian's gnuplot-nox) to have one"
    peers = list(dict.fromkeys(row["peer"] for row in rows))
    workloads = list(dict.fromkeys(row["workload"] for row in rows))
    threads = sorted({row["threads"] for row in rows})
    ratios = {(row["workload"], row["peer"], row["threads"]): row["ratio"] for row in rows}
    script = [f"set terminal pngcairo size 1200,{420 * len(threads)} font 'sans,11'", f"set output '{file}'", f"set multiplot layout {len(threads)},1",
              "set style data histograms", "set style histogram clustered gap 1", "set style fill solid 0.8 noborder", "set logscale y",
              "set yrange [0.002:4]", "set grid ytics", "set key outside right top", "set ylabel 'time of xgrad / time of peer'"]
    for n in threads:
        script.append(f"$threads{n} << EOD")
        script += [" ".join([f'"{workload}"', *(str(ratios.get((workload, peer, n), "nan")) for peer in peers)]) for workload in workloads]
        script += ["EOD", f"set title '{n} thread{'s' if n > 1 else ''}'",
                   "plot " + ", ".join(f"$threads{n} using {i + 2}:xtic(1) title '{peer}'" for i, peer in enumerate(peers)) + ", 1 lc 'black' notitle"]
    result = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, capture_output=True)
    return f"picture: {file}" if result.returncode == 0 else f"no picture: gnuplot: {result.stderr.strip()}"

"""The daemon in one look."""

from pixsortd import records
from pixsortd.api import answers, ports, reports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.present.jobs import job
from pixsortd.api.present.overview import stages
from pixsortd.api.present.roots import root


def _space_state(ability: records.Ability) -> reports.SpaceState:
    space = ability.space
    return reports.SpaceState(
        name=ability.name,
        state=ability.state,
        reason=reason(ability.reason),
        model=space.model if space else None,
        revision=space.revision if space else None,
        dim=space.dim if space else None,
        device=ability.device,
    )


def _metric_state(ability: records.Ability) -> reports.MetricState:
    metric = ability.metric
    return reports.MetricState(
        name=ability.name,
        state=ability.state,
        reason=reason(ability.reason),
        lower_better=metric.lower_better if metric else None,
        low=metric.low if metric else None,
        high=metric.high if metric else None,
        long_side=metric.long_side if metric else None,
        license=metric.license if metric else None,
        device=ability.device,
    )


def status(report: ports.StatusReport, now: float) -> reports.Status:
    """The daemon in one look, at ``now`` (seconds since the epoch)."""
    worker = fields(report.worker) | {"reason": reason(report.worker.reason)}
    return reports.Status(
        version=report.version,
        started=report.started,
        uptime=max(0.0, now - report.started),
        pid=report.pid,
        roots=[root(one) for one in report.roots],
        queue=reports.Queue(**fields(report.queue)),
        worker=reports.Worker(**worker),
        index=reports.Index(**fields(report.index)),
        spaces=[_space_state(one) for one in report.abilities if one.kind == "space"],
        metrics=[_metric_state(one) for one in report.abilities if one.kind == "metric"],
        space=report.space,
        wanted_space=report.wanted_space,
        stages=stages(report.stages),
        jobs=[job(one) for one in report.jobs],
        notices=[answers.Reason(**fields(one)) for one in report.notices],
    )

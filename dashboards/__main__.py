"""``python -m dashboards``: write the overview and the alert rules, here and where the chart can read them."""

from dashboards import FILES, HERE, alerts, overview

for name, text in ((overview.NAME, overview.rendered()), (alerts.NAME, alerts.rendered())):
    for folder in (HERE, FILES):
        (folder / name).write_text(text, encoding="utf-8")

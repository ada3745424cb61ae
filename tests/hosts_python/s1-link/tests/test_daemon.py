import plistlib

from harbor.daemon import system_unit, unit, write_agent


def test_unit_restarts():
    text = unit("/srv/harbor")
    assert "Restart=always" in text
    assert "WorkingDirectory=/srv/harbor" in text


def test_system_unit_is_whole():
    assert system_unit().count("[Service]") == 1
    assert system_unit().count("StartLimitIntervalSec") == 1


def test_agent(tmp_path):
    write_agent(tmp_path / "a.plist", tmp_path)
    assert plistlib.loads((tmp_path / "a.plist").read_bytes())["RunAtLoad"] is True

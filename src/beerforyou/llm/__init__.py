"""Language models behind one small interface (`model.py`). `connect.py` turns `provider:model` into one."""

"""Language models behind one small interface (`model.py`). `connect` turns `provider:model` into one."""

"""What public price lists say of models and who sells them, against our rows. Nothing here runs in a gateway."""
